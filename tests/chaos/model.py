"""The expected final state, updated at each step of a scenario."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reconciler.inventory.journal_entries import InventoryState
from reconciler.inventory.snapshot import read_snapshot
from reconciler.inventory.stores.base import Store
from reconciler.model.resource import Tracked
from reconciler.simulator import World
from tests.chaos.declarations import PRODUCTS, Declarations, Item

Live = dict[str, Any]


@dataclass(kw_only=True)
class Unmanaged:
    """An unmanaged endpoint. `may_change`: a run was allowed to adopt, change or delete it."""

    id: str
    before: Live
    may_change: bool = False


@dataclass(kw_only=True)
class Imperative:
    """An endpoint without YAML: if it exists (None: a run was interrupted), and its possible images."""

    present: bool | None = False
    is_being_deleted: bool = False
    images: set[str] = field(default_factory=set)


@dataclass(kw_only=True)
class Model:
    """The expectations so far."""

    world: World
    store: Store
    unmanaged: list[Unmanaged] = field(default_factory=list)
    imperative: dict[str, Imperative] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    """The ID that each declared name must have in the end, because no step recreates the endpoint."""
    let_go: dict[str, str] = field(default_factory=dict)
    """ID and name of the endpoints that the files release now. They must exist without a record."""
    may_live: set[str] = field(default_factory=set)
    """The IDs that earlier files released. A run may have done it, or not."""
    leases: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The worker counts of the confirmed leases, by ID."""

    def state(self) -> InventoryState:
        """Return the inventory with its journal."""
        return read_snapshot(self.store).state()

    def live(self) -> dict[str, Live]:
        """Return the endpoints of the account by ID."""
        return {one["id"]: one for one in self.world.endpoints}

    def unrecorded(self) -> dict[str, Live]:
        recorded = {record.id for record in self.state().records.values()}
        return {key: one for key, one in self.live().items() if key not in recorded}

    def owned(self) -> dict[str, Tracked]:
        """Return the records whose endpoint exists under the name of the record."""
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

    def edited(self, before: Declarations, after: Declarations, moves: dict[str, str] | None = None) -> None:
        """Update the expectations for an edit of the files; `moves` are the renames that start with it."""
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
            if record.id in live and name in (names := names_of(record)) and names.isdisjoint(after.items)
        }
        declared = {kept.get(name) for name in after.items}
        self.leases = {key: counts for key, counts in self.leases.items() if key in declared}

    def end_of_period(self, declared: Declarations) -> None:
        """Allow endpoints to survive that have the name of a released one."""
        self.may_live |= {key for key, one in self.live().items() if one["name"] in declared.removed}
        self.may_live |= set(self.let_go)
        self.let_go = {}

    def allow_recreation(self, names: Iterable[str] | None = None) -> None:
        """Allow runs to recreate these endpoints; without names, all."""
        gone = set(self.kept) if names is None else set(names)
        # in the middle of a rename, the name of a command may be that of an endpoint which gets another one
        meant = {key for key, one in self.live().items() if one["name"] in gone}
        meant |= {
            record.id for record in self.state().records.values() if not gone.isdisjoint(names_of(record))
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

    def create_unmanaged(self, **fields: Any) -> str:
        """Create an unmanaged endpoint in the console."""
        made = self.world.console_create(**fields)
        self.add_unmanaged(made)
        return made

    def add_unmanaged(self, made: str) -> None:
        """Record an unmanaged endpoint that must stay as it is."""
        self.unmanaged.append(Unmanaged(id=made, before=settings(self.world.endpoint(made))))

    def allow_changes(self, names: Iterable[str]) -> None:
        """Allow runs to adopt, change or delete the unmanaged endpoints of these names."""
        live, wanted = self.live(), set(names)
        for one in self.unmanaged:
            if one.id in live and live[one.id]["name"] in wanted:
                one.may_change = True


def names_of(record: Tracked) -> set[str]:
    """Return the current name and the new name of a record of a declared endpoint; none for others."""
    is_ours = record.origin == "declared" and not record.called
    return {record.name, record.renaming or record.name} if is_ours else set()


def settings(live: Live) -> Live:
    """Return the settings of an endpoint, without the state of its workers."""
    return {key: value for key, value in live.items() if key not in ("workers", "state")}


def fixed(one: Item) -> tuple[Any, ...]:
    """Return the fields of a declared endpoint that cannot be changed."""
    return (one["appName"], *PRODUCTS[one["specName"]][:1])


def fixed_of(live: Live) -> tuple[Any, ...]:
    return (live["appName"], live["products"][0]["id"])
