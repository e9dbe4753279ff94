"""Tests of the files and the environment."""
