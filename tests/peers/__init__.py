"""Other people's clients against the simulator: what they and it understand of the API must agree."""
