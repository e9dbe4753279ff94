"""Files of the user: edits that keep the layout, a memory of parsed files, and the set that a run reads."""
