"""`reconciler doctor --probe-api`: reads that tell the open questions about Novita's API apart.

reads   the reads, and their raw answers
report  what the answers say, without names, IDs and values; pure
"""
