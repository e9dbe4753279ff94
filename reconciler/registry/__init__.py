"""Container registries: the digest that a tag has now. Requests only read, and never have Novita's key."""
