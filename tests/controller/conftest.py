"""The fixture `under_test`: every test that uses it runs against every store."""

from tests.stores.conftest import under_test

__all__ = ["under_test"]
