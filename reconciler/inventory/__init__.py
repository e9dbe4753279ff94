"""The inventory on disk: a map of names to endpoint IDs, the journal of steps since, and a lock."""
