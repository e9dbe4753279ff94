"""The resource kinds that exist, by type. No other module outside of the folder of a kind imports it."""

from __future__ import annotations

from typing import Final

from reconciler.kinds.base import Kind
from reconciler.kinds.endpoint.kind import ENDPOINT as ENDPOINT
from reconciler.kinds.network_storage.kind import STORAGE
from reconciler.kinds.registry_credential.kind import REGISTRY

KINDS: Final[dict[str, Kind]] = {kind.type: kind for kind in (ENDPOINT, STORAGE, REGISTRY)}


def split_address(name: str) -> tuple[str, str]:
    """Return (type, name) of an address; a name that begins with no other type is that of an endpoint."""
    kind, dot, rest = name.partition(".")
    return (kind, rest) if dot and kind in KINDS and kind != ENDPOINT.type else (ENDPOINT.type, name)
