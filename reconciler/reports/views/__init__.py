"""Output of the commands that only read: endpoints, specs, versions and requests."""
