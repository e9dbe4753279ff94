"""The fixture `under_test`: every test that uses it runs against every store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stores import under_test as opening
from tests.stores.engines import StoreUnderTest


@pytest.fixture(params=opening.STORES)
def under_test(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreUnderTest]:
    """One inventory without content, in each store."""
    with opening.under_test(request.param, request, tmp_path) as store:
        yield store
