"""Plan files: the file itself, the facts of its changes, and its folder."""
