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
from reconciler.model.resource import UNKNOWN_OWNER, Intent, Inventory, Owner, Tracked
from reconciler.model.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """This endpoint is ours. Closes an intent of the same name."""

    tracked: Tracked


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """This name is no longer ours: deleted, forgotten or renamed."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """A create is about to be sent."""

    intent: Intent


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """The create of that name made nothing."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """The inventory belongs to this account and these files from here on."""

    base_url: str
    owner: Owner


Step: TypeAlias = Record | Drop | Begin | Settle | Own


def step_to_json(step: Step) -> Json:
    match step:
        case Record(tracked=tracked):
            return {"record": {"name": tracked.name, **record_to_json(tracked)}}
        case Drop(name=name):
            return {"drop": name}
        case Begin(intent=intent):
            return {"intent": intent_to_json(intent)}
        case Settle(name=name):
            return {"settled": name}
        case Own(base_url=base_url, owner=owner):
            return {"owner": owner_to_json(base_url, owner)}
        case _:
            assert_never(step)


def step_from_json(value: Json) -> Step:
    """The reverse; raises `Malformed`, also for the steps of a newer reconciler."""
    match value:
        case {"record": {"name": str(name), **record}}:
            return Record(tracked=record_from_json(name, record))
        case {"drop": str(name)}:
            return Drop(name=name)
        case {"intent": intent}:
            return Begin(intent=intent_from_json(intent))
        case {"settled": str(name)}:
            return Settle(name=name)
        case {"owner": dict(found)}:
            base_url, owner = owner_from_json(found)
            return Own(base_url=base_url, owner=owner)
        case _:
            raise Malformed("this reconciler does not know such a step; a newer one may have written it")


@dataclass(slots=True, kw_only=True)
class State:
    """An inventory while it changes. Not shared: whoever owns it guards it."""

    records: dict[str, Tracked] = field(default_factory=dict)
    intents: dict[str, Intent] = field(default_factory=dict)
    base_url: str = ""
    owner: Owner = UNKNOWN_OWNER

    @classmethod
    def of(cls, inventory: Inventory) -> State:
        return cls(
            records=dict(inventory.records),
            intents=dict(inventory.intents),
            base_url=inventory.base_url,
            owner=inventory.owner,
        )

    def apply(self, steps: Iterable[Step]) -> None:
        for step in steps:
            match step:
                case Record(tracked=tracked):
                    self.records[tracked.name] = tracked
                    self.intents.pop(tracked.name, None)
                case Drop(name=name):
                    self.records.pop(name, None)
                case Begin(intent=intent):
                    self.intents[intent.name] = intent
                case Settle(name=name):
                    self.intents.pop(name, None)
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
        )
