"""Which changes of a plan the controller makes, and when. Pure."""
