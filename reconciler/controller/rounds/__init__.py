"""One round of a controller: its plan, its decisions, its apply, and what is known afterwards."""
