"""What changes on time, and which of the changes `reconciler run` makes."""
