"""The five kinds of journal entries, and the change that each makes to the inventory.

The state of a name depends only on the last entry that mentions it. So replaying a journal over a map that
already has some or all of its entries changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import TypeAlias, assert_never

from reconciler.inventory.serialization import (
    intent_from_json,
    intent_to_json,
    owner_from_json,
    owner_to_json,
    record_from_json,
    record_to_json,
)
from reconciler.inventory.strict_json import Malformed
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.resource import ENDPOINT, UNKNOWN_OWNER, Intent, Inventory, Owner, Tracked
from reconciler.model.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRecord:
    """An endpoint is managed. It closes an intent of the same name."""

    tracked: Tracked


@dataclass(frozen=True, slots=True, kw_only=True)
class DropRecord:
    """A name is no longer managed: its endpoint was deleted, forgotten or renamed."""

    name: str
    kind: str = ENDPOINT


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIntent:
    """A create is about to be sent."""

    intent: Intent


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseIntent:
    """The create of a name made nothing."""

    name: str
    kind: str = ENDPOINT


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOwner:
    """The inventory belongs to this account and these files from now on."""

    base_url: str
    owner: Owner


JournalEntry: TypeAlias = PutRecord | DropRecord | OpenIntent | CloseIntent | SetOwner


def entry_to_json(entry: JournalEntry) -> Json:
    match entry:
        case PutRecord(tracked=tracked):
            kind = {} if tracked.kind == ENDPOINT else {"kind": tracked.kind}
            return {"record": {"name": tracked.name, **kind, **record_to_json(tracked)}}
        case DropRecord(name=name, kind=of):
            return {"drop": _named(name, of)}
        case OpenIntent(intent=intent):
            return {"intent": intent_to_json(intent)}
        case CloseIntent(name=name, kind=of):
            return {"settled": _named(name, of)}
        case SetOwner(base_url=base_url, owner=owner):
            return {"owner": owner_to_json(base_url, owner)}
        case _:
            assert_never(entry)


def entry_from_json(value: Json) -> JournalEntry:
    """Return the entry of JSON data. Raise `Malformed`, also for an entry of a newer reconciler."""
    match value:
        case {"record": {"name": str(name), "kind": str(kind), **record}}:
            return PutRecord(tracked=record_from_json(name, record, kind))
        case {"record": {"name": str(name), **record}}:
            return PutRecord(tracked=record_from_json(name, record))
        case {"drop": str(name)}:
            return DropRecord(name=name)
        case {"drop": {"name": str(name), "kind": str(kind)}}:
            return DropRecord(name=name, kind=kind)
        case {"intent": intent}:
            return OpenIntent(intent=intent_from_json(intent))
        case {"settled": str(name)}:
            return CloseIntent(name=name)
        case {"settled": {"name": str(name), "kind": str(kind)}}:
            return CloseIntent(name=name, kind=kind)
        case {"owner": dict(facts)}:
            base_url, owner = owner_from_json(facts)
            return SetOwner(base_url=base_url, owner=owner)
        case _:
            raise Malformed("this reconciler does not know such an entry; a newer one may have written it")


def _named(name: str, kind: str) -> Json:
    """Return the name as an entry has it: for an endpoint the name alone."""
    return name if kind == ENDPOINT else {"name": name, "kind": kind}


@dataclass(slots=True, kw_only=True)
class InventoryState:
    """An inventory that journal entries change. Not thread-safe."""

    records: dict[str, Tracked] = field(default_factory=dict)
    intents: dict[str, Intent] = field(default_factory=dict)
    base_url: str = ""
    owner: Owner = UNKNOWN_OWNER
    others: dict[str, InventoryState] = field(default_factory=dict)

    @classmethod
    def of(cls, inventory: Inventory) -> InventoryState:
        return cls(
            records=dict(inventory.records),
            intents=dict(inventory.intents),
            base_url=inventory.base_url,
            owner=inventory.owner,
            others={kind: cls.of(slice_) for kind, slice_ in inventory.others.items()},
        )

    def slice_of(self, kind: str) -> InventoryState:
        """Return the records and intents of one kind, to be changed."""
        return self if kind == ENDPOINT else self.others.setdefault(kind, InventoryState())

    def apply(self, entries: Iterable[JournalEntry]) -> None:
        for entry in entries:
            match entry:
                case PutRecord(tracked=tracked):
                    state = self.slice_of(tracked.kind)
                    state.records[tracked.name] = tracked
                    state.intents.pop(tracked.name, None)
                case DropRecord(name=name, kind=kind):
                    self.slice_of(kind).records.pop(name, None)
                case OpenIntent(intent=intent):
                    self.slice_of(intent.kind).intents[intent.name] = intent
                case CloseIntent(name=name, kind=kind):
                    self.slice_of(kind).intents.pop(name, None)
                case SetOwner(base_url=base_url, owner=owner):
                    self.base_url, self.owner = base_url, owner
                case _:
                    assert_never(entry)

    def inventory(self, base_url: str) -> Inventory:
        """Return an immutable copy, sorted by name."""
        return Inventory(
            records=dict(sorted(self.records.items())),
            intents=dict(sorted(self.intents.items())),
            base_url=base_url,
            owner=self.owner,
            others={
                kind: state.inventory("")
                for kind, state in sorted(self.others.items())
                if state.records or state.intents
            },
        )
