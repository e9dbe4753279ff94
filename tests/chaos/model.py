"""What must be there in the end, kept up while the story goes on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.inventory.files import FileSystem
from reconciler.inventory.journal_entries import InventoryState
from reconciler.inventory.snapshot import read_snapshot
from reconciler.model.resource import Tracked
from reconciler.simulator import World
from tests.chaos.declared import PRODUCTS, Declared, Item

Live = dict[str, Any]


@dataclass(kw_only=True)
class Stranger:
    """An endpoint of somebody else. Once it is `given`, a run was told to take it or to delete it."""

    id: str
    before: Live
    given: bool = False


@dataclass(kw_only=True)
class ByHand:
    """An endpoint without YAML: whether it is there (None: a run was cut off) and the images it may have."""

    present: bool | None = False
    is_being_deleted: bool = False
    images: set[str] = field(default_factory=set)


@dataclass(kw_only=True)
class Model:
    """What was promised so far."""

    world: World
    inventory: Path
    strangers: list[Stranger] = field(default_factory=list)
    by_hand: dict[str, ByHand] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    """The ID that a declared name must have in the end: nothing has given a reason to make it anew."""
    let_go: dict[str, str] = field(default_factory=dict)
    """The endpoints, as ID and name, that the files of now let go of: they must live, unrecorded."""
    may_live: set[str] = field(default_factory=set)
    """The IDs that earlier files let go of: a run may have done it, or not."""
    leases: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The counts of the leases that were confirmed, by ID."""

    def state(self) -> InventoryState:
        """The inventory with its journal."""
        return read_snapshot(self.inventory, FileSystem()).state()

    def live(self) -> dict[str, Live]:
        """The endpoints of the account by ID."""
        return {one["id"]: one for one in self.world.endpoints}

    def unrecorded(self) -> dict[str, Live]:
        recorded = {record.id for record in self.state().records.values()}
        return {key: one for key, one in self.live().items() if key not in recorded}

    def owned(self) -> dict[str, Tracked]:
        """The records of declared endpoints that live under the name of the record."""
        live = self.live()
        return {
            name: record
            for name, record in self.state().records.items()
            if record.origin == "declared"
            and not record.renaming
            and not record.called
            and record.id in live
            and live[record.id]["name"] == name
        }

    def edited(self, before: Declared, after: Declared, moves: dict[str, str] | None = None) -> None:
        """The files say something else from now on; `moves` are renames that begin with this edit."""
        self.may_live -= {record.id for record in self.state().records.values()}
        self.end_of_period(before)
        owned, live = self.owned(), self.live()
        sources = {new: old for old, new in (moves or {}).items()}
        kept = {}
        for name, one in after.items.items():
            source = sources.get(name, name)
            if source in owned:
                found = owned[source].id
            elif one.get("renamedFrom", "") == before.items.get(name, {}).get("renamedFrom"):
                found = self.kept.get(name, "")
            else:
                continue
            if found in live and fixed(one) == fixed_of(live[found]):
                kept[name] = found
        self.kept = kept
        self.let_go = {
            record.id: name
            for name in after.removed
            for record in self.state().records.values()
            if record.id in live and name in (names := goes_by(record)) and names.isdisjoint(after.items)
        }
        declared = {kept.get(name) for name in after.items}
        self.leases = {key: counts for key, counts in self.leases.items() if key in declared}

    def end_of_period(self, declared: Declared) -> None:
        """What is named like something that was to be let go of may live on from now on."""
        self.may_live |= {key for key, one in self.live().items() if one["name"] in declared.removed}
        self.may_live |= set(self.let_go)
        self.let_go = {}

    def disturbed(self, names: Iterable[str] | None = None) -> None:
        """A command had a reason to make these anew; without names, any."""
        gone = set(self.kept) if names is None else set(names)
        # in the middle of a rename, the name of a command may be that of an endpoint which gets another one
        meant = {key for key, one in self.live().items() if one["name"] in gone}
        meant |= {
            record.id for record in self.state().records.values() if not gone.isdisjoint(goes_by(record))
        }
        gone |= {name for name, kept in self.kept.items() if kept in meant}
        for name in gone:
            self.leases.pop(self.kept.pop(name, ""), None)
            for other in [other for other, kept in self.let_go.items() if kept == name]:
                self.may_live.add(other)
                del self.let_go[other]
        if names is None:
            self.leases.clear()
            self.may_live |= set(self.let_go)
            self.let_go.clear()

    def stranger(self, **fields: Any) -> str:
        """Somebody else makes an endpoint in the console."""
        made = self.world.console_create(**fields)
        self.is_of_others(made)
        return made

    def is_of_others(self, made: str) -> None:
        """Somebody else has made this endpoint, and it is to stay as it is now."""
        self.strangers.append(Stranger(id=made, before=settings(self.world.endpoint(made))))

    def give(self, names: Iterable[str]) -> None:
        """A run is told to take what has these names, or to change it, or to delete it."""
        live, wanted = self.live(), set(names)
        for one in self.strangers:
            if one.id in live and live[one.id]["name"] in wanted:
                one.given = True


def goes_by(record: Tracked) -> set[str]:
    """The names that a record of a declared endpoint has, and is being given; none for the others."""
    is_ours = record.origin == "declared" and not record.called
    return {record.name, record.renaming or record.name} if is_ours else set()


def settings(live: Live) -> Live:
    """What is set of an endpoint, without what its workers do."""
    return {key: value for key, value in live.items() if key not in ("workers", "state")}


def fixed(one: Item) -> tuple[Any, ...]:
    """What cannot be changed of a declared endpoint."""
    return (one["appName"], *PRODUCTS[one["specName"]][:1])


def fixed_of(live: Live) -> tuple[Any, ...]:
    return (live["appName"], live["products"][0]["id"])
