"""What the commands that only read print: endpoints, specs, history, requests."""
