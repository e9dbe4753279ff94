"""The fixtures of the end-to-end tests."""

from tests.e2e.conftest import closed_port, desk

__all__ = ["closed_port", "desk"]
