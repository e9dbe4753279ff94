"""Images: pins in the YAML, and what registries say about tags."""
