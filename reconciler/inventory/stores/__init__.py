"""The places where an inventory can be kept."""
