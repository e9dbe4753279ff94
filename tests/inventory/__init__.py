"""Tests of the inventory on disk."""
