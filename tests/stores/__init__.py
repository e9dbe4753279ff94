"""Tests of the stores of the inventory."""
