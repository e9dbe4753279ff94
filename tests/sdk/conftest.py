"""A provider of parts, and one of files, over a real socket to a simulated account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler import Client, NovitaDeploymentProvider, Secret
from reconciler.simulator import Profile, Server
from reconciler.simulator.profile import CONSOLE_LIMITS

KEY = "sk_the-api-key-itself"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)

SPEC: dict[str, Any] = {
    "name": "small",
    "displayName": "Small",
    "category": "gpu",
    "resourceType": "serverless",
    "resources": {"gpu": "1", "gpuType": "RTX", "cpu": "8", "memory": "32", "ephemeralStorage": "100"},
    "platforms": {"novita": {"productId": "SL-serverless-3", "region": "us-dallas-nas-2"}},
}


@pytest.fixture
def sim() -> Iterator[Server]:
    # The default requestTimeout fits into this account.
    with Server(seed=1, profile=Profile(limits={**CONSOLE_LIMITS, "maxRequestTimeout": 3600})) as server:
        yield server


@pytest.fixture
def client(sim: Server) -> Iterator[Client]:
    with Client(sim.url, Secret(value=KEY, source="test")) as client:
        yield client


@pytest.fixture
def provider(client: Client, tmp_path: Path) -> NovitaDeploymentProvider:
    """Made of parts, with a clock that stands."""
    return NovitaDeploymentProvider(client, [SPEC], tmp_path / "inventory.json", now=lambda: NOW)
