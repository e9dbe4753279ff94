"""Novita's own bodies: creates, gets and listings of endpoints, network storages and registry credentials.

The mapping is that of the kinds, which `import --all` uses too. Here are only the shapes of documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.convert.candidates import Parts
from reconciler.convert.notes import Outcome
from reconciler.convert.source import Found, Origin, dotted
from reconciler.kinds.fields import FieldTable, Shape
from reconciler.kinds.foreign_shapes import is_of_novita
from reconciler.kinds.registry import KINDS
from reconciler.model.problem import Severity
from reconciler.model.resource import ENDPOINT, REGISTRY, STORAGE
from reconciler.model.values import DataPath

NAME: Final = "novita"

_STATE: Final = "it is the state of a live object, which Novita reports"
_REASONS: Final = {
    **dict.fromkeys(("id", "url", "state", "workers", "createdAt", "log", "storageId", "price"), _STATE),
    "clusterName": _STATE,
    "type": "endpoints are created as `sync`",
    "clusterIDs": "an endpoint is in the one region of its spec",
    "total": "it counts the listing",
    "healthy": "Novita takes only the path of the health check",
}
_OTHER: Final = "the YAML has no such field"

_ID_KEYS: Final = {ENDPOINT: "id", STORAGE: "storageId", REGISTRY: "id"}
_MAPPED: Final = {
    STORAGE: frozenset({"storageName", "storageSize", "clusterId"}),
    REGISTRY: frozenset({"name", "username", "password"}),
}
_PAIR_KEYS: Final = frozenset({"key", "value"})
_VOLUME_KEYS: Final = frozenset({"type", "id", "size", "mountPath"})


def recognizes(data: Any) -> bool:
    """Return True for a body or a listing of Novita's API, or for the document of `preview --json`."""
    return next(_objects(data), None) is not None


def convert(origin: Origin) -> Parts:
    """Return the objects of a document in Novita's form."""
    parts = Parts()
    seen: set[DataPath] = set()
    for kind, path, body in _objects(origin.data):
        seen.add(path)
        found = Found(value=None, field=dotted(path), place=origin.place(path))
        key = _ID_KEYS[kind]
        # a create body has no ID, and its place serves as one
        live = KINDS[kind].parse_one({**body, key: body.get(key) or f"{found.place} {found.field}"})
        parts.live.append((live, found))
        for left in _unmapped(kind, body):
            reason = next((_REASONS[step] for step in left if step in _REASONS), _OTHER)
            origin.note((*path, *left), Outcome.LEFT_OUT, reason, _severity(reason))
    for path in _beside(origin.data, seen):
        step = str(path[-1]) if path else ""
        reason = _REASONS.get(step, "it is no endpoint, storage or registry credential of Novita")
        origin.note(path, Outcome.LEFT_OUT, reason, _severity(reason))
    return parts


def _severity(reason: str) -> Severity:
    return Severity.NOTE if reason in (_STATE, _REASONS["total"]) else Severity.WARNING


def _objects(data: Any, at: DataPath = ()) -> Iterator[tuple[str, DataPath, Mapping[str, Any]]]:
    """Yield (type, path, body) of each object in a document."""
    if isinstance(data, list):
        for index, item in enumerate(data):
            yield from _objects(item, (*at, index))
        return
    if not isinstance(data, Mapping):
        return
    if kind := _kind(data):
        yield kind, at, data
        return
    if len(at) > len(("0", "body", "endpoint", "0")):
        return
    for key in ("endpoint", "endpoints", "data", "body"):
        if isinstance(data.get(key), Mapping | list):
            yield from _objects(data[key], (*at, key))


def _kind(data: Mapping[str, Any]) -> str:
    if is_of_novita(data):
        return ENDPOINT
    if "storageName" in data and "storageSize" in data:
        return STORAGE
    return REGISTRY if {"name", "username", "password"} <= data.keys() else ""


def _beside(data: Any, seen: set[DataPath], at: DataPath = ()) -> Iterator[DataPath]:
    """Yield the topmost paths that neither are an object nor lead to one."""
    if at in seen:
        return
    if not any(path[: len(at)] == at for path in seen):
        yield at
        return
    steps = data.items() if isinstance(data, Mapping) else enumerate(data)
    for step, value in steps:
        if value is not None:
            yield from _beside(value, seen, (*at, step))


def _unmapped(kind: str, body: Mapping[str, Any]) -> Iterator[DataPath]:
    """Yield the topmost paths of a body that the YAML has no field for. Empty values mean nothing."""
    for key, value in body.items():
        if value in (None, "", [], {}):
            continue
        if kind in _MAPPED:
            if key not in _MAPPED[kind]:
                yield (key,)
        else:
            yield from ((key, *below) for below in _unmapped_below(KINDS[kind].table, key, value))


def _unmapped_below(table: FieldTable, key: str, value: Any) -> Iterator[DataPath]:
    row = table.by_path.get((key,))
    if row is None:
        yield ()
    elif row.shape is Shape.OBJECT and isinstance(value, Mapping):
        yield from ((leaf,) for leaf in value if (key, leaf) not in table.by_path and value[leaf] is not None)
    elif isinstance(value, list):
        known = (
            {"key", "value"} if row.shape is Shape.TEXTS else {row.item_key} if row.item_key else _VOLUME_KEYS
        )
        for index, item in enumerate(value):
            if isinstance(item, Mapping):
                yield from ((index, leaf) for leaf in item if leaf not in known and item[leaf] is not None)
