"""The sandbox of the end-to-end tests, whose plans are judged here."""

from tests.e2e.conftest import sandbox

__all__ = ["sandbox"]
