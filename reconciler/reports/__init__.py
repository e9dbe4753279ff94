"""Reports and other output, written from values for people and for programs."""
