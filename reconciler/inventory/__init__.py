"""The inventory on disk: the map of records, the journal of changes to it, its history and a lock."""
