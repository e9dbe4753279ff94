"""The map on disk: each name with its endpoint ID and last applied fields, easy to diff and merge in git.

    {"format": 2, "base_url", "account"?, "root"?, "files"?,
     "endpoints": {name: {"id", "applied", "origin"?, "prevent_destroy"?, "lease"?, "declared_counts"?,
       "adopted"?}},
     "resources"?: {address: the same, for resources of other kinds}}

Format 1 has no "account", "root", "files" and "resources". Keys are sorted and indented by two spaces,
secrets are sealed, and the only times are the ends of leases. Open intents are in the journal, not here.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.inventory.declared_records import loads_sharing
from reconciler.inventory.errors import invalid_map
from reconciler.inventory.serialization import (
    OWNER_KEYS,
    loads,
    owner_from_json,
    owner_to_json,
    record_from_json,
    record_to_json,
)
from reconciler.inventory.strict_json import Malformed
from reconciler.model.encoding import json_indented, json_line
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Place, Problem
from reconciler.model.resource import ENDPOINT, UNKNOWN_OWNER, Inventory, Owner, Tracked
from reconciler.model.secrets import seal_to_json
from reconciler.model.values import Fields, Json

FORMAT = 2
MAX_SHOWN = 160
"""Characters of a line that a problem shows."""

NOT_DECLARED: Final[Mapping[str, Fields]] = {}
"""Fields of no endpoint."""

_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")


def serialize(records: Iterable[Tracked], base_url: str, owner: Owner = UNKNOWN_OWNER) -> bytes:
    """Return the bytes of a map. Equal inventories have equal bytes."""
    endpoints: dict[str, Json] = {}
    others: dict[str, Json] = {}
    for tracked in records:
        if tracked.kind == ENDPOINT:
            endpoints[tracked.name] = record_to_json(tracked)
        else:
            others[tracked.address] = record_to_json(tracked)
    document = {"format": FORMAT, **owner_to_json(base_url, owner), "endpoints": endpoints}
    if others:
        document["resources"] = others
    return (json_indented(document, seal_to_json, sort_keys=True) + "\n").encode()


def serialize_inventory(inventory: Inventory) -> bytes:
    """Return the map of an inventory. Open intents are no part of it."""
    return serialize(inventory.every_record(), inventory.base_url, inventory.owner)


class _Last:
    """The map that was parsed last: an apply reads it for its plan, and again under the lock."""

    parsed: tuple[str, bytes, Inventory] | None = None


def parse(label: str, data: bytes, declared: Mapping[str, Fields] = NOT_DECLARED) -> Inventory:
    """Parse the bytes of a map. `label` names it in messages. Raise InventoryError with all its problems.

    declared: the fields of endpoints, by name, which are likely to be those of their records. It only saves
    time.
    """
    last = _Last.parsed
    if last is None or last[:2] != (label, data):
        last = _Last.parsed = label, data, _parsed(label, data, declared)
    return last[2]


def _parsed(label: str, data: bytes, declared: Mapping[str, Fields]) -> Inventory:
    document, text = _document(label, data, declared)
    if not isinstance(document, dict) or type(document.get("format")) is not int:
        raise InventoryError(
            _malformed(label, 'it has no "format" number: another program may have written it')
        )
    if document["format"] > FORMAT:
        raise InventoryError(
            Problem(
                code="inventory-newer",
                summary=f"{label} was written by a newer reconciler (format {document['format']})",
                detail=f"This one reads format {FORMAT} and would lose what it does not know.",
                hint="Upgrade: `pip install --upgrade novita-reconciler`",
            )
        )
    if document["format"] < 1:
        raise InventoryError(_malformed(label, f"there is no format {document['format']}"))
    endpoints = document.get("endpoints")
    known = OWNER_KEYS if document["format"] > 1 else {"base_url"}
    sections = {"endpoints", "resources"} if document["format"] > 1 else {"endpoints"}
    unknown = sorted(document.keys() - {"format", *sections, *known})
    problems = [_malformed(label, f"unknown key {json.dumps(key)}") for key in unknown]
    base_url, owner = "", UNKNOWN_OWNER
    try:
        base_url, owner = owner_from_json({key: document[key] for key in known & document.keys()})
    except Malformed as error:
        problems.append(_malformed(label, str(error)))
    if not isinstance(endpoints, dict):
        problems.append(_malformed(label, '"endpoints" must be an object'))
        endpoints = {}
    records: dict[str, Tracked] = {}
    for name, record in endpoints.items():
        try:
            records[name] = record_from_json(name, record, valid=declared.get(name))
        except Malformed as error:
            problems.append(_malformed(label, f"endpoint {name}: {error}", _place_of(label, text, name)))
    others = _others(label, text, document.get("resources", {}), problems)
    if problems:
        raise InventoryError(*problems)
    return Inventory(records=dict(sorted(records.items())), base_url=base_url, owner=owner, others=others)


def _others(label: str, text: str, resources: Json, problems: list[Problem]) -> dict[str, Inventory]:
    """Return the records of the other kinds, by type and name; their keys in the map are addresses."""
    if not isinstance(resources, dict):
        problems.append(_malformed(label, '"resources" must be an object'))
        return {}
    records: dict[str, dict[str, Tracked]] = {}
    for address, record in sorted(resources.items()):
        kind, _, name = address.partition(".")
        try:
            records.setdefault(kind, {})[name] = record_from_json(name, record, kind)
        except Malformed as error:
            problems.append(_malformed(label, f"{address}: {error}", _place_of(label, text, address)))
    return {kind: Inventory(records=by_name) for kind, by_name in records.items()}


def _document(label: str, data: bytes, declared: Mapping[str, Fields]) -> tuple[Json, str]:
    """Return the JSON value and its text. Raise InventoryError with the place where it stops being JSON."""
    try:
        text = data.removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        raise InventoryError(
            invalid_map(label, "inventory-not-json", f"{label} is not UTF-8 text (byte {error.start})")
        ) from error
    try:
        return loads_sharing(text, declared, loads), text
    except Malformed as error:
        raise InventoryError(_malformed(label, str(error))) from error
    except json.JSONDecodeError as error:
        raise InventoryError(_not_json(label, text, error)) from error
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, a tower of brackets
        raise InventoryError(invalid_map(label, "inventory-not-json", f"{label} is not JSON")) from error


def _not_json(label: str, text: str, error: json.JSONDecodeError) -> Problem:
    lines = text.split("\n")
    markers = [number for number, line in enumerate(lines, 1) if line.startswith(_CONFLICT)]
    if markers:
        place = Place(file=label, line=markers[0], column=1, text=lines[markers[0] - 1], width=7)
        return invalid_map(
            label,
            "inventory-merge-conflict",
            f"{label} has the markers of an unresolved git merge conflict",
            hint="Keep the records of both sides and remove the markers",
            place=place,
        )
    what = (
        "is empty"
        if not text.strip()
        else f"is not JSON: {error.msg.lower()} at {error.lineno}:{error.colno}"
    )
    # Another file may have been named as the inventory, and hold a secret.
    is_map = text.lstrip().startswith("{")
    line = lines[error.lineno - 1] if is_map and error.colno <= MAX_SHOWN else ""
    place = Place(file=label, line=error.lineno, column=error.colno, text=line[:MAX_SHOWN])
    return invalid_map(label, "inventory-not-json", f"{label} {what}", place=place)


def _malformed(label: str, error: str, place: Place | None = None) -> Problem:
    return invalid_map(label, "inventory-shape", f"{label} is not a valid inventory: {error}", place=place)


def _place_of(label: str, text: str, name: str) -> Place | None:
    """Return where the record of a name begins, or None if the file is not laid out as it was written."""
    key = json_line(name) + ":"
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(f"    {key}"):
            return Place(file=label, line=number, column=5, text=line, width=len(key) - 1)
    return None
