"""The desk of the end-to-end tests, for the trials as well."""

from tests.e2e.conftest import closed_port, desk

__all__ = ["closed_port", "desk"]
