"""Renames: the record of each declared endpoint, and the exchange of names.

A record has what is needed to resume a rename: the name that the endpoint is to get (`renaming`), and the
last `renamedFrom` that was carried out (`renamed_from`), which has no further effect until names are
exchanged once more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias, TypeGuard

from reconciler.kinds.registry import KINDS
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import (
    Adopt,
    Cause,
    Change,
    Create,
    FieldChange,
    Replace,
    Scale,
    TemporaryName,
    Update,
)
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Inventory, Live, Tracked
from reconciler.planning.diff import differences

Renamed: TypeAlias = Update | Scale | Replace

NO_RECORDS: Final[Mapping[str, Tracked | None]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Renames:
    """The result of `renamedFrom`.

    `takes` has the record of each declared name that has not just its own one; None if it has none. `former`
    maps a former name to the new one.
    """

    takes: Mapping[str, Tracked | None]
    former: Mapping[str, str]
    problems: tuple[Problem, ...] = ()


def renames(desired: Sequence[Desired], inventory: Inventory, alive: Mapping[str, Live]) -> Renames:
    """Assign records to declared names. `alive` are all live endpoints by ID.

    A rename in progress is resumed. A new one is possible if the old name releases its endpoint, and the new
    name has none or releases its own; otherwise it is a problem. All other names keep their own record, or
    take back the one that an abandoned rename was taking from them.
    """
    renamed = [endpoint for endpoint in desired if endpoint.renamed_from is not None]
    in_progress = {record.renaming: record for record in inventory.records.values() if record.renaming}
    if not renamed and not in_progress:
        return Renames(takes=NO_RECORDS, former={})
    assignment = _Assignment(desired, inventory.records, in_progress, alive)
    problems = assignment.rename(renamed)
    assignment.keep()
    return Renames(takes=assignment.takes, former=assignment.former, problems=problems)


class _Assignment:
    """An assignment of records to declared names, while it is made."""

    def __init__(
        self,
        desired: Sequence[Desired],
        records: Mapping[str, Tracked],
        in_progress: Mapping[str, Tracked],
        alive: Mapping[str, Live],
    ) -> None:
        self._declared = {endpoint.name: endpoint for endpoint in desired}
        self._records = records
        self._in_progress = in_progress
        self._temporary = {
            record.renamed_from: record for record in in_progress.values() if record.renamed_from
        }
        self._alive = alive
        self._taken: set[str] = set()
        self.takes: dict[str, Tracked | None] = {}
        self.former: dict[str, str] = {}

    def rename(self, renamed: Sequence[Desired]) -> tuple[Problem, ...]:
        """Assign the records of renamed endpoints. Return a problem for each rename that is impossible."""
        wanted: dict[str, str] = {}
        meant = self._meant(renamed)
        released = {endpoint.name for endpoint in meant}
        for endpoint in meant:
            old = str(endpoint.renamed_from)
            if endpoint.name in self._in_progress:
                self._take(endpoint.name, self._in_progress[endpoint.name])
            elif self._source(old) is not None or old not in self._declared or old in released:
                wanted.setdefault(old, endpoint.name)
        successors = {new: old for old, new in wanted.items()}
        problems = []
        while (impossible := self._find_impossible(successors)) is not None:
            new, why = impossible
            if why and not self._is_done(self._declared[new]):
                problems.append(_impossible(self._declared[new], why))
            del successors[new]
        for new, old in successors.items():
            self.former[old] = new
            if (source := self._source(old)) is not None:
                self._take(new, source)
        return tuple(problems)

    def keep(self) -> None:
        """Assign to all other names their own record, or the one that a rename was taking from them."""
        others = [name for name in self._declared if name not in self.takes]
        self._taken |= {self._records[name].id for name in others if name in self._records}
        for name in others:
            own = self._records.get(name)
            if own is not None and all(own is not other for other in self.takes.values()):
                continue
            self.takes[name] = None
            for record in (self._in_progress.get(name), self._temporary.get(name)):
                if record is not None and record.id not in self._taken:
                    self._take(name, record)
                    break

    def _meant(self, renamed: Sequence[Desired]) -> list[Desired]:
        """Return the endpoints whose rename was not carried out yet, or is to be carried out once more.

        A `renamedFrom` that was carried out counts once more if another endpoint takes the name, and if an
        endpoint with the old name is live. It also does if the same exchange of names is declared again.
        """
        hints = {endpoint.name: endpoint for endpoint in renamed}
        done = {
            endpoint.name: endpoint
            for endpoint in renamed
            if self._is_done(endpoint) and not self._is_declared_again(endpoint, hints)
        }
        meant = [endpoint for endpoint in renamed if endpoint.name not in done]
        given_away = deque(endpoint.renamed_from for endpoint in meant)
        while given_away:
            again = done.pop(str(given_away.popleft()), None)
            old = self._records.get(str(again.renamed_from)) if again else None
            if again is not None and old is not None and old.id in self._alive:
                meant.append(again)
                given_away.append(again.renamed_from)
        return meant

    def _is_declared_again(self, desired: Desired, hints: Mapping[str, Desired]) -> bool:
        """Return whether `desired` is part of an exchange of names that is to be made once more.

        The lines of YAML are the same as before the first exchange. It is made again if more endpoints can
        become as declared in place with it than without it.
        """
        exchange = {desired.name: desired}
        following = hints.get(str(desired.renamed_from))
        while following is not None and following.name not in exchange:
            exchange[following.name] = following
            following = hints.get(str(following.renamed_from))
        if following is not desired:
            return False
        kept = [(endpoint, self._record_without_rename(name)) for name, endpoint in exchange.items()]
        moved = [(endpoint, self._source(str(endpoint.renamed_from))) for endpoint in exchange.values()]
        return self._count_fitting(moved) > self._count_fitting(kept)

    def _record_without_rename(self, name: str) -> Tracked | None:
        """Return the record that a declared name has if no rename begins now."""
        return self._records.get(name) or self._in_progress.get(name) or self._temporary.get(name)

    def _count_fitting(self, pairs: Iterable[tuple[Desired, Tracked | None]]) -> int:
        """Return for how many the live endpoint of the record can become as declared in place."""
        return sum(
            _can_become(endpoint, self._alive[record.id])
            for endpoint, record in pairs
            if record is not None and record.id in self._alive
        )

    def _is_done(self, desired: Desired) -> bool:
        """Return whether the rename was carried out, so that `renamedFrom` has no further effect."""
        own = self._records.get(desired.name)
        is_renamed = own is not None and not own.renaming and own.renamed_from == desired.renamed_from
        return is_renamed and desired.renamed_from is not None

    def _take(self, name: str, record: Tracked) -> None:
        self.takes[name] = record
        self._taken.add(record.id)

    def _source(self, old: str) -> Tracked | None:
        """Return the record of an endpoint that has, had or is to get that name, if no name has taken it."""
        records = (self._records.get(old), self._temporary.get(old), self._in_progress.get(old))
        return next(
            (record for record in records if record is not None and record.id not in self._taken), None
        )

    def _find_impossible(self, successors: Mapping[str, str]) -> tuple[str, str] | None:
        """Return the new name of an impossible rename and the reason; "" if it needs no message."""
        released = {source.id for old in successors.values() if (source := self._source(old)) is not None}
        for new, old in successors.items():
            if old in self._declared and old not in successors and old not in self.takes:
                # an endpoint that was itself renamed to that name is not the one that is meant
                return new, "" if self._is_done(self._declared[old]) else f"`{old}` is still declared"
            own, source = self._records.get(new), self._source(old)
            if own is None or own.id not in self._alive or own.id in released | self._taken:
                continue
            both_exist = source is not None and source.id in self._alive
            return (
                new,
                f"both exist: `{old}` is {source.id}, `{new}` is {own.id}" if source and both_exist else "",
            )
        return None


def _can_become(desired: Desired, live: Live) -> bool:
    """Return whether a live resource can become as declared without a replacement."""
    kind = KINDS[desired.kind]
    ignored = (*desired.lifecycle.ignore, *desired.unset)
    want, have = kind.sides(desired.fields, None, live.fields, ignored, live.unread)
    fields = tuple(
        FieldChange(path=path, before=before, after=after, cause=Cause.CONFIG)
        for path, before, after in differences(have, want, kind)
    )
    if any(kind.replaces(field.path) for field in fields):
        return False
    change = Adopt(name=desired.name, reason="", desired=desired, target=want, live=live, fields=fields)
    return kind.refusal(change) is None


def _impossible(desired: Desired, why: str) -> Problem:
    return Problem(
        code="rename-impossible",
        summary=f"`{desired.name}` cannot be renamed from `{desired.renamed_from}`: {why}",
        hint="remove `renamedFrom`, or give the one that has the name `renamedFrom` too",
        address=desired.address,
        place=desired.place_of(("renamedFrom",)),
    )


def break_rename_cycles(changes: Sequence[Change]) -> tuple[tuple[Change, ...], tuple[Problem, ...]]:
    """Give an endpoint of each cycle of renames a temporary name. Return the changes, and notes."""
    result = {change.name: change for change in changes}
    notes: list[Problem] = []
    renamed = {change.name: change for change in changes if is_renamed(change)}
    while cycle := _find_cycle(renamed):
        updates = (change for change in cycle if isinstance(change, Update) and change.temporary is None)
        first = next(updates, None)
        if first is None:
            break  # all are replaced, and nothing is renamed
        (holder,) = (change for change in cycle if must_precede(change, first))
        temporary, renamed_holder = _with_temporary_name(holder)
        for change in (replace(first, temporary=temporary), renamed_holder):
            result[change.name] = renamed[change.name] = change
        names = ", ".join(f"`{name}`" for name in sorted(change.name for change in cycle))
        notes.append(
            Problem(
                code="temporary-name",
                severity=Severity.NOTE,
                summary=f"{names} exchange names; {holder.live.id} is called `{temporary.name}` meanwhile",
                address=first.address,
            )
        )
    return tuple(result.values()), tuple(notes)


def is_renamed(change: Change) -> TypeGuard[Renamed]:
    """Return whether the endpoint of a change, or its record, gets another name."""
    return isinstance(change, Renamed) and {change.live.name, change.tracked.name} != {change.name}


def must_precede(change: Change, other: Change) -> bool:
    """Return whether a change must come first, because it releases the name that the other one needs.

    The name is that of its endpoint, of its record, or of a record whose endpoint is gone.
    """
    if not isinstance(change, Renamed) or change.name == other.name:
        return False
    names = (change.live.name, change.tracked.name)
    if isinstance(other, Create | Adopt):
        return other.name in names or (other.gone is not None and other.gone.name == change.name)
    return is_renamed(other) and other.name in names


def names_of(record: Tracked) -> frozenset[str]:
    """Return the names that files may use for an endpoint: during a rename, the former and the new one."""
    names = {record.name, record.renaming or record.name}
    if record.name == _temporary_name(record.renamed_from, record.id):
        names.add(record.renamed_from)
    return frozenset(names)


def _temporary_name(name: str, live_id: str) -> str:
    return f"{name[:100]}-renaming-{live_id[:16]}"


def _find_cycle(renamed: Mapping[str, Renamed]) -> list[Renamed]:
    """Return changes of which each waits for the next one, and the last for the first; [] if none do."""
    waits_for = {
        name: holder
        for name, change in renamed.items()
        if (holder := next((other for other in renamed.values() if must_precede(other, change)), None))
    }
    for name in sorted(waits_for):
        path = [renamed[name]]
        while (following := waits_for.get(path[-1].name)) is not None:
            if following in path:
                return path[path.index(following) :]
            path.append(following)
    return []


def _with_temporary_name(holder: Renamed) -> tuple[TemporaryName, Renamed]:
    """Return the temporary name of an endpoint, and the change of that endpoint afterwards."""
    name = _temporary_name(holder.tracked.name, holder.live.id)
    temporary = TemporaryName(live=holder.live, tracked=holder.tracked, name=name, final_name=holder.name)
    live = replace(holder.live, name=name, fields={**holder.live.fields, "name": name})
    return temporary, replace(holder, live=live, tracked=temporary.record)
