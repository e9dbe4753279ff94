"""A library that reads and edits YAML and JSON files with positions. It knows nothing about endpoints."""
