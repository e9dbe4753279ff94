"""The resource kinds that exist, by type. No other module outside of the folder of a kind imports it.

Most runs have endpoints only, so the other kinds are imported when they are used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Final, cast

from reconciler.kinds.base import Kind
from reconciler.kinds.endpoint.kind import ENDPOINT as ENDPOINT
from reconciler.model.resource import REGISTRY, STORAGE, address


class _ImportedOnUse:
    """Stands for a kind. Its type and its section are known before the kind is imported."""

    def __init__(self, type_: str, section: str, load: Callable[[], Kind]) -> None:
        self.type = type_
        self.section = section
        self._load = load

    @cached_property
    def _kind(self) -> Kind:
        return self._load()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kind, name)


def _storage() -> Kind:
    from reconciler.kinds.network_storage import kind

    return kind.STORAGE


def _credential() -> Kind:
    from reconciler.kinds.registry_credential import kind

    return kind.REGISTRY


KINDS: Final[dict[str, Kind]] = {
    ENDPOINT.type: ENDPOINT,
    STORAGE: cast(Kind, _ImportedOnUse(STORAGE, "storages", _storage)),
    REGISTRY: cast(Kind, _ImportedOnUse(REGISTRY, "registries", _credential)),
}


def split_address(name: str) -> tuple[str, str]:
    """Return (type, name) of an address; a name that begins with no other type is that of an endpoint."""
    kind, dot, rest = name.partition(".")
    return (kind, rest) if dot and kind in KINDS and kind != ENDPOINT.type else (ENDPOINT.type, name)


def address_of(key: str) -> str:
    """Return the address of a resource by what users call it: the name of an endpoint, or an address."""
    kind, name = split_address(key)
    return address(name, kind)


def in_order_of_needs(kinds: Iterable[str]) -> list[str]:
    """Return the kinds, each after those that it needs."""
    ordered: dict[str, None] = {}

    def add(kind: str) -> None:
        for needed in KINDS[kind].needs:
            add(needed)
        ordered.setdefault(kind)

    wanted = sorted(kinds)
    if len(wanted) < 2:
        return wanted  # without an import of others
    for kind in wanted:
        add(kind)
    return [kind for kind in ordered if kind in wanted]
