"""Drift: what changed in the account since the last apply, who changed it, and what is reported."""
