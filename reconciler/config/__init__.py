"""Files and environment -> the desired set, and every problem in them at once."""
