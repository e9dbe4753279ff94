"""`reconciler doctor --probe-api`: reads that tell the open questions about Novita's API apart.

readings  the reads, and their raw answers
findings  what the answers say, without names, IDs and values; pure
"""
