"""Work on whole stores: transfer, locks, the setting in config.yaml, and the other inventories of a store."""
