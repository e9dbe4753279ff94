"""The front end of `reconciler run`."""
