"""The desk of the end-to-end tests, whose plans are judged here."""

from tests.e2e.conftest import desk

__all__ = ["desk"]
