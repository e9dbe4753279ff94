"""`reconciler doctor --probe-api`: what tells the open questions about Novita's API apart.

reads         the reads, and their raw answers
report        what the answers say, without names, IDs and values; pure
probe         the reads of a run, and the simulator that behaves as the account does
target        the endpoint that the writes make, and the reasons not to make it
steps         the writes, and what reads show after each of them
span          how long a write stays unseen; pure
write_report  what the writes say; pure
write_probe   the writes of a run: lock, intent, create, steps, delete
"""
