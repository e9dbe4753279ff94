from collections.abc import Iterator

import pytest

from tests.fake_registry import Registry, serve_registry


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A container registry on this machine."""
    with serve_registry() as running:
        yield running
