"""`reconciler convert`."""
