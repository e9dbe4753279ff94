"""The fixtures of the end-to-end tests."""

from tests.e2e.conftest import closed_port, sandbox

__all__ = ["closed_port", "sandbox"]
