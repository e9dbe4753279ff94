"""The fixtures of the tests of the controller. A test that uses `under_test` runs against every store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scripted_server import scripted_server
from tests.stores.conftest import under_test

__all__ = ["under_test"]


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The URL of a server that reads a request and never answers."""
    with scripted_server(lambda _connection, over: over.wait()) as server:
        yield f"{server.url}/THE-SECRET-PATH"
