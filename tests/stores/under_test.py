"""One inventory without content in the store of a name, on the server of the fixtures."""

from __future__ import annotations

import os
import uuid
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import pytest

from tests.stores import engines
from tests.stores.engines import StoreUnderTest

STORES: Final = tuple(os.environ.get("STORE", "").split()) or engines.NAMES
"""The stores to test: all, or those of the variable STORE."""


def under_test(
    name: str, request: pytest.FixtureRequest, folder: Path
) -> AbstractContextManager[StoreUnderTest]:
    """Start the server of a store, if it does not run yet, and return an inventory of its own in it."""
    match name:
        case "file":
            return engines.file_under_test(folder)
        case "postgres":
            return engines.postgres_under_test(request.getfixturevalue("postgres_server"))
        case "s3":
            return engines.s3_under_test(request.getfixturevalue("s3_server"))
        case "http":
            state = f"prod-{uuid.uuid4().hex[:8]}"
            return engines.http_under_test(request.getfixturevalue("gitlab"), state)
    raise ValueError(f"STORE={name}: choose one of {', '.join(engines.NAMES)}")
