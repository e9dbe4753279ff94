"""Damaged input: files, responses and arguments cause no crash, no unapproved write and no leaked secret."""
