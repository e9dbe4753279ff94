"""`import --all`: YAML for endpoints that were made elsewhere."""
