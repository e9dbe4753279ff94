"""What resources need of each other."""
