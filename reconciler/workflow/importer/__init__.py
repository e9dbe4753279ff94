"""`reconciler import`."""
