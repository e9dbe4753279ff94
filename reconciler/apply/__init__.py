"""The execution of an approved plan.

executor     runs the stages in parallel and reports results
writer       performs one change: reads, writes, records, reads back
create       sends a create exactly once
read_back    compares what was written with what the account has, one by one or in batches
wait_ready   waits until what was applied serves
clock        waits that an interrupt can end
"""
