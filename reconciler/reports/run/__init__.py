"""Reports of a run, as text and in the formats of other programs."""
