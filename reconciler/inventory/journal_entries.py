"""The five steps of a run's bookkeeping, and what each does to the inventory.

What a name ends up as depends only on the last step that mentions it. So a journal may be replayed over a map
that it was folded into already, in part or in whole, and nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
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
from reconciler.model.resource import ENDPOINT, UNKNOWN_OWNER, Intent, Inventory, Owner, Tracked
from reconciler.model.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """This endpoint is ours. Closes an intent of the same name."""

    tracked: Tracked


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """This name is no longer ours: deleted, forgotten or renamed."""

    name: str
    kind: str = ENDPOINT


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """A create is about to be sent."""

    intent: Intent


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """The create of that name made nothing."""

    name: str
    kind: str = ENDPOINT


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """The inventory belongs to this account and these files from here on."""

    base_url: str
    owner: Owner


Step: TypeAlias = Record | Drop | Begin | Settle | Own


def step_to_json(step: Step) -> Json:
    match step:
        case Record(tracked=tracked):
            kind = {} if tracked.kind == ENDPOINT else {"kind": tracked.kind}
            return {"record": {"name": tracked.name, **kind, **record_to_json(tracked)}}
        case Drop(name=name, kind=of):
            return {"drop": _named(name, of)}
        case Begin(intent=intent):
            return {"intent": intent_to_json(intent)}
        case Settle(name=name, kind=of):
            return {"settled": _named(name, of)}
        case Own(base_url=base_url, owner=owner):
            return {"owner": owner_to_json(base_url, owner)}
        case _:
            assert_never(step)


def step_from_json(value: Json) -> Step:
    """The reverse; raises `Malformed`, also for the steps of a newer reconciler."""
    match value:
        case {"record": {"name": str(name), "kind": str(kind), **record}}:
            return Record(tracked=record_from_json(name, record, kind))
        case {"record": {"name": str(name), **record}}:
            return Record(tracked=record_from_json(name, record))
        case {"drop": str(name)}:
            return Drop(name=name)
        case {"drop": {"name": str(name), "kind": str(kind)}}:
            return Drop(name=name, kind=kind)
        case {"intent": intent}:
            return Begin(intent=intent_from_json(intent))
        case {"settled": str(name)}:
            return Settle(name=name)
        case {"settled": {"name": str(name), "kind": str(kind)}}:
            return Settle(name=name, kind=kind)
        case {"owner": dict(found)}:
            base_url, owner = owner_from_json(found)
            return Own(base_url=base_url, owner=owner)
        case _:
            raise Malformed("this reconciler does not know such a step; a newer one may have written it")


def _named(name: str, kind: str) -> Json:
    """Return the name as a step mentions it: of an endpoint the name alone."""
    return name if kind == ENDPOINT else {"name": name, "kind": kind}


@dataclass(slots=True, kw_only=True)
class State:
    """An inventory while it changes. Not shared: whoever owns it guards it."""

    records: dict[str, Tracked] = field(default_factory=dict)
    intents: dict[str, Intent] = field(default_factory=dict)
    base_url: str = ""
    owner: Owner = UNKNOWN_OWNER
    others: dict[str, State] = field(default_factory=dict)

    @classmethod
    def of(cls, inventory: Inventory) -> State:
        return cls(
            records=dict(inventory.records),
            intents=dict(inventory.intents),
            base_url=inventory.base_url,
            owner=inventory.owner,
            others={kind: cls.of(slice_) for kind, slice_ in inventory.others.items()},
        )

    def slice_of(self, kind: str) -> State:
        """Return the records and intents of one kind, to be changed."""
        return self if kind == ENDPOINT else self.others.setdefault(kind, State())

    def apply(self, steps: Iterable[Step]) -> None:
        for step in steps:
            match step:
                case Record(tracked=tracked):
                    state = self.slice_of(tracked.kind)
                    state.records[tracked.name] = tracked
                    state.intents.pop(tracked.name, None)
                case Drop(name=name, kind=kind):
                    self.slice_of(kind).records.pop(name, None)
                case Begin(intent=intent):
                    self.slice_of(intent.kind).intents[intent.name] = intent
                case Settle(name=name, kind=kind):
                    self.slice_of(kind).intents.pop(name, None)
                case Own(base_url=base_url, owner=owner):
                    self.base_url, self.owner = base_url, owner
                case _:
                    assert_never(step)

    def inventory(self, base_url: str) -> Inventory:
        """A snapshot in the order of names; the records themselves are shared, for they are frozen."""
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
