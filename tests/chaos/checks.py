"""The properties that hold after convergence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from reconciler.inventory.stores.base import APPROVED_PLAN, Store
from reconciler.model.resource import Tracked
from tests.chaos.declarations import PRODUCTS, Declarations, Item
from tests.chaos.model import Live, Model, settings

ORDINARY: Final = re.compile(
    r"(endpoints|specs|config)\.yaml|out\.log|\d+\.(plan|json)"
    r"|state/(novita\.json(\.(journal|lock|lock\.json|history\.jsonl|backup))?)"
)
"""The files that a folder may hold in the end.

A run that was killed right before its end leaves the note about the holder of the lock. It means nothing
without the lock, and runs that change nothing do not take that.
"""


def problems(model: Model, declared: Declarations, token: str) -> Iterator[str]:
    """Yield each difference from the expected state."""
    state, live = model.state(), model.live()
    yield from (f"a create is left open: {name}" for name in state.intents)
    for name, record in state.records.items():
        if record.id not in live:
            yield f"the record {name} leads nowhere: {record.id}"
        elif live[record.id]["name"] != name:
            yield f"the record {name} is of {live[record.id]['name']}"
        if record.called or record.renaming:
            yield f"the record {name} is not settled"
        if name not in declared.items and record.origin != "imperative":
            yield f"{name} is recorded and declared no more"
    yield from (
        f"{name} is declared and not recorded" for name in declared.items if name not in state.records
    )
    for name, one in declared.items.items():
        if name in state.records and state.records[name].id in live:
            yield from _differences(one, state.records[name], live[state.records[name].id], token)
    yield from _recreated(model, state.records)
    yield from _changed_unmanaged(model, state.records, live)
    yield from _imperative(model, state.records, live)
    yield from _orphans(model, state.records, live)


def _differences(one: Item, record: Tracked, live: Live, token: str) -> Iterator[str]:
    lease = record.lease
    low, high = (lease.min, lease.max) if lease else (one["minReplicas"], one["maxReplicas"])
    expected: dict[str, Any] = {
        "appName": one["appName"],
        "product": PRODUCTS[one["specName"]],
        "image": one["image"],
        "counts": (low, high),
        "env": {**one["env"], "TOKEN": token},
    }
    found = {
        "appName": live["appName"],
        "product": (live["products"][0]["id"], live["workerConfig"]["gpuNum"]),
        "image": live["image"]["image"],
        "counts": (live["workerConfig"]["minNum"], live["workerConfig"]["maxNum"]),
        "env": {pair["key"]: pair["value"] for pair in live["envs"]},
    }
    for key, value in expected.items():
        if found[key] != value:
            yield f"{one['endpoint']}: {key} is {found[key]}, not {value}"


def _recreated(model: Model, records: dict[str, Tracked]) -> Iterator[str]:
    for name, kept in model.kept.items():
        if name in records and records[name].id != kept:
            yield f"{name} was made anew without a reason: it was {kept}"
    by_id = {record.id: record for record in records.values()}
    for leased, counts in model.leases.items():
        lease = by_id[leased].lease if leased in by_id else None
        if leased in by_id and (lease is None or (lease.min, lease.max) != counts):
            yield f"the lease of {by_id[leased].name} is lost"
    for free, name in model.let_go.items():
        if free in by_id:
            yield f"{name} was to be let go of, and is recorded"


def _changed_unmanaged(model: Model, records: dict[str, Tracked], live: dict[str, Live]) -> Iterator[str]:
    recorded = {record.id for record in records.values()}
    for one in model.unmanaged:
        if one.may_change:
            continue
        name = one.before["name"]
        if one.id in recorded:
            yield f"{name} of others was taken"
        if one.id not in live:
            yield f"{name} of others was deleted"
        elif settings(live[one.id]) != one.before:
            yield f"{name} of others was changed"


def _imperative(model: Model, records: dict[str, Tracked], live: dict[str, Live]) -> Iterator[str]:
    for name, hand in model.imperative.items():
        found = [one for one in live.values() if one["name"] == name]
        if hand.present is not None and len(found) != hand.present:
            yield f"{name} is there {len(found)} times, and must be {int(hand.present)}"
        if len(found) > 1 or (len(found) == 1) != (name in records):
            yield f"{name} is there {len(found)} times, and {'' if name in records else 'not '}recorded"
        for one in found:
            if one["image"]["image"] not in hand.images:
                yield f"{name} has the image {one['image']['image']}, none of {hand.images}"
        if name in records and records[name].origin != "imperative":
            yield f"{name} is recorded as {records[name].origin}"


def _orphans(model: Model, records: dict[str, Tracked], live: dict[str, Live]) -> Iterator[str]:
    known = {record.id for record in records.values()} | {one.id for one in model.unmanaged}
    for free, name in model.let_go.items():
        if free not in live:
            yield f"{name} was to be let go of, and is gone"
    for key, one in live.items():
        if key not in known | set(model.let_go) | model.may_live:
            yield f"nobody knows of {one['name']} ({key})"


def secrets_in_store(store: Store, secrets: tuple[str, ...]) -> Iterator[str]:
    """Yield each secret in the store, and a journal that is not empty."""
    content = store.read()
    if content.journal:
        yield "the journal is not empty"
    for data in (content.map, store.read_history(), store.read_document(APPROVED_PLAN)):
        yield from ("a secret is in the store" for secret in secrets if secret.encode() in (data or b""))


def secrets_and_crashes(folder: Path, log: str, secrets: tuple[str, ...]) -> Iterator[str]:
    """Yield each secret and each crash in the files and the log."""
    for words in ("has a bug", "Traceback"):
        before, found, after = log.partition(words)
        if found:
            yield f"the log says {words!r}: ...{before[-300:]}{found}{after[:1500]}"
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            yield from (f"a secret is in {path.name}" for secret in secrets if secret.encode() in data)
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not ORDINARY.fullmatch(name):
            yield f"{name} was left behind"
