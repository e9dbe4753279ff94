"""Which record and which live endpoint a declared one is: a record joins by its ID, a newcomer by name.

Endpoints on their way out count as gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Inventory, Live, Tracked, address


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """The three sides, found by name and by ID.

    `former` leads from a name that an endpoint had to the one name it has now; `known` are the IDs of all
    records, `recorded` those that they hold on to.
    """

    records: Mapping[str, Tracked]
    by_id: Mapping[str, Live]
    by_name: Mapping[str, Sequence[Live]]
    former: Mapping[str, str]
    known: frozenset[str]
    recorded: frozenset[str]

    @classmethod
    def of(cls, desired: Sequence[Desired], inventory: Inventory, live: Iterable[Live]) -> Join:
        by_id = {one.id: one for one in live if not one.is_going}
        by_name: dict[str, list[Live]] = {}
        for one in by_id.values():
            by_name.setdefault(one.name, []).append(one)
        declared = {one.name for one in desired}
        former: dict[str, str] = {}
        for want in desired:
            if want.renamed_from is not None and want.renamed_from not in declared:
                former.setdefault(want.renamed_from, want.name)
        recorded = frozenset(
            tracked.id
            for tracked in inventory.records.values()
            if tracked.name in declared
            or tracked.name in former
            or tracked.id not in by_id
            or by_id[tracked.id].name == tracked.live_name
            or not by_id[tracked.id].is_named
        )
        return cls(
            records=inventory.records,
            by_id=by_id,
            by_name=by_name,
            former=former,
            known=frozenset(tracked.id for tracked in inventory.records.values()),
            recorded=recorded,
        )

    def record_of(self, desired: Desired) -> Tracked | None:
        """The record of that name, else of the name it had."""
        return next((self.records[name] for name in self._names(desired) if name in self.records), None)

    def strangers(self, desired: Desired) -> Sequence[Live]:
        """Live endpoints of that name, else of the name it had, that no record holds on to."""
        for name in self._names(desired):
            if found := [one for one in self.by_name.get(name, ()) if one.id not in self.recorded]:
                return found
        return ()

    def namesakes(self, desired: Desired, ours: Live) -> Iterator[Problem]:
        """A warning for other live endpoints of a name whose recorded ID is alive."""
        others = [
            one.id
            for one in self.by_name.get(desired.name, ())
            if one.id != ours.id and one.id not in self.known
        ]
        if others:
            yield Problem(
                code="namesake",
                severity=Severity.WARNING,
                summary=f"`{desired.name}` is {ours.id}; another live endpoint has the same name: "
                + ", ".join(sorted(others)),
                hint="it is left alone and may bill; delete it in the console if nobody needs it",
                address=address(desired.name),
                place=desired.place,
            )

    def _names(self, desired: Desired) -> Iterator[str]:
        yield desired.name
        old = desired.renamed_from
        if old is not None and self.former.get(old) == desired.name:
            yield old


def _impossible_renames(desired: Sequence[Desired], inventory: Inventory) -> Iterator[Problem]:
    """A `renamedFrom` that is left over from a rename long done is no fault; one that cannot be done is."""
    declared = {one.name for one in desired}
    for one in desired:
        old, records = one.renamed_from, inventory.records
        if old is None or old not in records:
            continue
        if old in declared:
            why = f"`{old}` is still declared"
        elif one.name in records:
            why = f"both exist: `{old}` is {records[old].id}, `{one.name}` is {records[one.name].id}"
        else:
            continue
        yield Problem(
            code="rename-impossible",
            summary=f"`{one.name}` cannot be renamed from `{old}`: {why}",
            hint="remove `renamedFrom`, or rename one after the other",
            address=address(one.name),
            place=one.place,
        )


def ambiguous(desired: Desired, strangers: Sequence[Live]) -> Problem:
    """Several live endpoints could be the declared one."""
    ids = ", ".join(sorted(one.id for one in strangers))
    return Problem(
        code="ambiguous-name",
        summary=f"{len(strangers)} live endpoints are called `{strangers[0].name}`: {ids}",
        detail="The inventory does not say which is meant, and a guess could overwrite the wrong one.",
        hint="delete or rename all but one in the console, then plan again",
        address=address(desired.name),
        place=desired.place,
    )


def contradictions(desired: Sequence[Desired], inventory: Inventory) -> Iterator[Problem]:
    """One endpoint that two names lay claim to, and renames that nothing can come of."""
    yield from _impossible_renames(desired, inventory)
    heirs: dict[str, str] = {}
    for one in desired:
        if one.renamed_from is not None and heirs.setdefault(one.renamed_from, one.name) != one.name:
            yield Problem(
                code="renamed-twice",
                summary=f"`{heirs[one.renamed_from]}` and `{one.name}` are both renamed from "
                f"`{one.renamed_from}`",
                hint="keep `renamedFrom` in the one that takes its place",
                address=address(one.name),
                place=one.place,
            )
    owners: dict[str, str] = {}
    for name, tracked in sorted(inventory.records.items()):
        if (owner := owners.setdefault(tracked.id, name)) != name:
            yield Problem(
                code="shared-id",
                summary=f"the inventory holds {tracked.id} under two names, `{owner}` and `{name}`",
                detail="A merge or an edit by hand may have done that; planned twice, they would fight.",
                hint="drop the wrong one with: reconciler state rm NAME",
                address=address(name),
            )
