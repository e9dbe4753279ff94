"""Terminal output: colour, tables, progress, escaping."""
