"""A plan or an apply, as text and in the formats that other programs read."""
