"""The execution of an approved plan.

executor     runs the stages in parallel and reports results
stage        performs the changes of a stage in parallel, and reads for all of them
shared_reads one listing for many changes, or a request for each of a few
writer       performs one change: checks, writes, records, waits
create       sends a create exactly once
read_back    conditions that an endpoint meets after a write
wait_ready   waits until what was applied serves
clock        waits that an interrupt can end
"""
