"""`reconciler history` and `rollback`: applied versions, and the way back to one of them."""
