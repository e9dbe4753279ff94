"""Damaged input: whatever files, answers and arguments say, no crash, no unasked write, no secret out."""
