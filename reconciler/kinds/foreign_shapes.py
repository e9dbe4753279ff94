"""Recognizes objects of Novita's API and of Waverless by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeGuard

_OF_NOVITA: Final = frozenset(
    {"workerConfig", "products", "clusterID", "clusterId", "envs", "rootfsSize", "healthy"}
)
"""Fields of Novita's API that no item of the YAML has; two of them are enough."""


def is_of_novita(data: Any) -> TypeGuard[Mapping[str, Any]]:
    """Return True for an endpoint of Novita's API, also a create body."""
    return isinstance(data, Mapping) and "specName" not in data and len(_OF_NOVITA & data.keys()) >= 2


def is_request(data: Any) -> TypeGuard[Mapping[str, Any]]:
    """Return True for a deploy request of Waverless."""
    return isinstance(data, Mapping) and isinstance(data.get("endpoint"), str)


def is_metadata(data: Any) -> TypeGuard[Mapping[str, Any]]:
    """Return True for an object of GET /api/v1/endpoints. A deploy request has `endpoint`, not `name`."""
    return isinstance(data, Mapping) and {"name", "image", "status"} <= data.keys() and "endpoint" not in data


def is_spec(data: Any) -> TypeGuard[Mapping[str, Any]]:
    """Return True for a spec of Waverless."""
    return isinstance(data, Mapping) and {"name", "resources"} <= data.keys() and "image" not in data
