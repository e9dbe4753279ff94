"""YAML and JSON files with positions, read and edited in place. Knows nothing of endpoints."""
