"""`reconciler history` and `rollback`: applied versions, and how to return to one of them."""
