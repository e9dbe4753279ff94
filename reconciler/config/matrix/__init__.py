"""`matrix` of an item: one endpoint for each combination of its values."""
