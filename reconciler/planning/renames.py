"""Renames: which record a declared endpoint takes, and how names that change hands are kept apart.

A record says of a rename what is needed to go on with it: the name that the endpoint is being given
(`renaming`), and the `renamedFrom` that was carried out last (`renamed_from`), which means nothing any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, TypeGuard

from reconciler.model.plan import Adopt, Change, Create, Replace, Scale, TemporaryName, Update
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Inventory, Tracked, address

Renamed: TypeAlias = Update | Scale | Replace

NO_RECORDS: Final[Mapping[str, Tracked | None]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Renames:
    """What `renamedFrom` comes to.

    `takes` has the record of each declared name that does not simply have its own, `former` leads from a name
    that an endpoint had to the one that it gets.
    """

    takes: Mapping[str, Tracked | None]
    former: Mapping[str, str]
    problems: tuple[Problem, ...] = ()


def renames(desired: Sequence[Desired], inventory: Inventory, alive: Collection[str]) -> Renames:
    """Match declared names and records. `alive` are the IDs of all live endpoints.

    A rename under way is gone on with. One is begun only where the old name gives its endpoint away, and the
    new one has none, or gives its own away as well; otherwise that is a problem. Without either, a name has
    its own record, or takes back the one that a rename was taking away.
    """
    renamed = [one for one in desired if one.renamed_from is not None]
    moving = {record.renaming: record for record in inventory.records.values() if record.renaming}
    if not renamed and not moving:
        return Renames(takes=NO_RECORDS, former={})
    matching = _Matching(desired, inventory.records, moving, alive)
    problems = matching.rename(renamed)
    matching.keep()
    return Renames(takes=matching.takes, former=matching.former, problems=problems)


class _Matching:
    """The state of one matching: which records are taken, by whom."""

    def __init__(
        self,
        desired: Sequence[Desired],
        records: Mapping[str, Tracked],
        moving: Mapping[str, Tracked],
        alive: Collection[str],
    ) -> None:
        self._declared = {one.name: one for one in desired}
        self._records = records
        self._moving = moving
        self._set_aside = {record.renamed_from: record for record in moving.values() if record.renamed_from}
        self._alive = alive
        self._taken: set[str] = set()
        self.takes: dict[str, Tracked | None] = {}
        self.former: dict[str, str] = {}

    def rename(self, renamed: Sequence[Desired]) -> tuple[Problem, ...]:
        """Give away what is renamed; the renames that nothing can come of are problems."""
        wanted: dict[str, str] = {}
        meant = self._meant(renamed)
        giving = {one.name for one in meant}
        for one in meant:
            old = str(one.renamed_from)
            if one.name in self._moving:
                self._take(one.name, self._moving[one.name])
            elif self._source(old) is not None or old not in self._declared or old in giving:
                wanted.setdefault(old, one.name)
        heirs = {new: old for old, new in wanted.items()}
        problems = []
        while (found := self._impossible(heirs)) is not None:
            new, why = found
            if why and not self._is_done(self._declared[new]):
                problems.append(_impossible(self._declared[new], why))
            del heirs[new]
        for new, old in heirs.items():
            self.former[old] = new
            if (source := self._source(old)) is not None:
                self._take(new, source)
        return tuple(problems)

    def keep(self) -> None:
        """All others keep their own record, or take back what was being renamed away from them."""
        others = [name for name in self._declared if name not in self.takes]
        self._taken |= {self._records[name].id for name in others if name in self._records}
        for name in others:
            own = self._records.get(name)
            if own is not None and all(own is not other for other in self.takes.values()):
                continue
            self.takes[name] = None
            for record in (self._moving.get(name), self._set_aside.get(name)):
                if record is not None and record.id not in self._taken:
                    self._take(name, record)
                    break

    def _meant(self, renamed: Sequence[Desired]) -> list[Desired]:
        """Return the endpoints whose rename was not carried out yet, or is to be carried out once more.

        A `renamedFrom` that was carried out counts once more if another endpoint takes the name, and if an
        endpoint with the old name is live.
        """
        done = {endpoint.name: endpoint for endpoint in renamed if self._is_done(endpoint)}
        meant = [endpoint for endpoint in renamed if endpoint.name not in done]
        given_away = deque(endpoint.renamed_from for endpoint in meant)
        while given_away:
            again = done.pop(str(given_away.popleft()), None)
            old = self._records.get(str(again.renamed_from)) if again else None
            if again is not None and old is not None and old.id in self._alive:
                meant.append(again)
                given_away.append(again.renamed_from)
        return meant

    def _is_done(self, desired: Desired) -> bool:
        """Whether its rename was carried out, and the hint in the YAML is left over."""
        own = self._records.get(desired.name)
        is_renamed = own is not None and not own.renaming and own.renamed_from == desired.renamed_from
        return is_renamed and desired.renamed_from is not None

    def _take(self, name: str, record: Tracked) -> None:
        self.takes[name] = record
        self._taken.add(record.id)

    def _source(self, old: str) -> Tracked | None:
        """The record of an endpoint that has, had or is getting that name, and that nobody has taken."""
        found = (self._records.get(old), self._set_aside.get(old), self._moving.get(old))
        return next((one for one in found if one is not None and one.id not in self._taken), None)

    def _impossible(self, heirs: Mapping[str, str]) -> tuple[str, str] | None:
        """A rename that cannot be, and why; without a word where it is only left over."""
        given = {source.id for old in heirs.values() if (source := self._source(old)) is not None}
        for new, old in heirs.items():
            if old in self._declared and old not in heirs and old not in self.takes:
                # one that was itself renamed to that name is not the one that is meant
                return new, "" if self._is_done(self._declared[old]) else f"`{old}` is still declared"
            own, source = self._records.get(new), self._source(old)
            if own is None or own.id not in self._alive or own.id in given | self._taken:
                continue
            is_there = source is not None and source.id in self._alive
            return (
                new,
                f"both exist: `{old}` is {source.id}, `{new}` is {own.id}" if source and is_there else "",
            )
        return None


def _impossible(desired: Desired, why: str) -> Problem:
    return Problem(
        code="rename-impossible",
        summary=f"`{desired.name}` cannot be renamed from `{desired.renamed_from}`: {why}",
        hint="remove `renamedFrom`, or give the endpoint that has the name `renamedFrom` too",
        address=address(desired.name),
        place=desired.place,
    )


def break_rename_cycles(changes: Sequence[Change]) -> tuple[tuple[Change, ...], tuple[Problem, ...]]:
    """The changes and a note for each cycle of renames: one of its endpoints gets a temporary name first."""
    made = {change.name: change for change in changes}
    notes: list[Problem] = []
    moving = {one.name: one for one in changes if isinstance(one, Renamed) and is_renamed(one)}
    while cycle := _cycle(moving):
        first = next((one for one in cycle if isinstance(one, Update) and one.aside is None), None)
        if first is None:
            break  # all are replaced: nothing is renamed
        (holder,) = (one for one in cycle if must_precede(one, first))
        aside, moved = _set_aside(holder)
        for changed in (replace(first, aside=aside), moved):
            made[changed.name] = moving[changed.name] = changed
        names = ", ".join(f"`{one.name}`" for one in sorted(cycle, key=lambda one: one.name))
        notes.append(
            Problem(
                code="temporary-name",
                severity=Severity.NOTE,
                summary=f"{names} exchange names; {holder.live.id} is called `{aside.name}` meanwhile",
                address=first.address,
            )
        )
    return tuple(made.values()), tuple(notes)


def is_renamed(change: Change) -> TypeGuard[Renamed]:
    """Whether the endpoint of a change, or its record, has another name than it is to have."""
    return isinstance(change, Renamed) and {change.live.name, change.tracked.name} != {change.name}


def must_precede(one: Change, other: Change) -> bool:
    """Whether a change must come first, because its endpoint or its record has the name that another gets.

    So must one that takes the name of an endpoint which is gone, and which the other takes the place of.
    """
    if not isinstance(one, Renamed) or one.name == other.name:
        return False
    names = (one.live.name, one.tracked.name)
    if isinstance(other, Create | Adopt):
        return other.name in names or (other.gone is not None and other.gone.name == one.name)
    return is_renamed(other) and other.name in names


def names_of(record: Tracked) -> frozenset[str]:
    """The names by which files may speak of an endpoint: while it is renamed, the former and the new one."""
    names = {record.name, record.renaming or record.name}
    if record.name == _temporary(record.renamed_from, record.id):
        names.add(record.renamed_from)
    return frozenset(names)


def _temporary(name: str, live_id: str) -> str:
    return f"{name[:100]}-renaming-{live_id[:16]}"


def _cycle(moving: Mapping[str, Renamed]) -> list[Renamed]:
    """Changes of which each waits for the next one, and the last for the first; none, if there are none."""
    waiting = {
        name: holder
        for name, change in moving.items()
        if (holder := next((one for one in moving.values() if must_precede(one, change)), None))
    }
    for name in sorted(waiting):
        path = [moving[name]]
        while (following := waiting.get(path[-1].name)) is not None:
            if following in path:
                return path[path.index(following) :]
            path.append(following)
    return []


def _set_aside(holder: Renamed) -> tuple[TemporaryName, Renamed]:
    """How the endpoint that has a name gives it up, and its own change from then on."""
    temporary = _temporary(holder.tracked.name, holder.live.id)
    aside = TemporaryName(live=holder.live, tracked=holder.tracked, name=temporary, final_name=holder.name)
    live = replace(holder.live, name=temporary, fields={**holder.live.fields, "name": temporary})
    return aside, replace(holder, live=live, tracked=aside.record)
