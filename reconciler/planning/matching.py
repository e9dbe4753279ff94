"""Which record and which live endpoint a declared one is: a record joins by its ID, a newcomer by name.

Endpoints on their way out count as gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Inventory, Live, Tracked, address
from reconciler.planning.renames import Renames, renames


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """The three sides, found by name and by ID.

    `known` are the IDs of all records, `recorded` those that they hold on to.
    """

    records: Mapping[str, Tracked]
    by_id: Mapping[str, Live]
    by_name: Mapping[str, Sequence[Live]]
    renames: Renames
    known: frozenset[str]
    recorded: frozenset[str]

    @classmethod
    def of(cls, desired: Sequence[Desired], inventory: Inventory, live: Iterable[Live]) -> Join:
        by_id = {one.id: one for one in live if not one.is_terminating}
        by_name: dict[str, list[Live]] = {}
        for one in by_id.values():
            by_name.setdefault(one.name, []).append(one)
        declared = {one.name for one in desired}
        renamed = renames(desired, inventory, by_id.keys())
        recorded = frozenset(
            tracked.id
            for tracked in inventory.records.values()
            if tracked.name in declared
            or tracked.name in renamed.former
            or tracked.id not in by_id
            or tracked.may_have_name(by_id[tracked.id].name)
            or not by_id[tracked.id].is_named
        )
        return cls(
            records=inventory.records,
            by_id=by_id,
            by_name=by_name,
            renames=renamed,
            known=frozenset(tracked.id for tracked in inventory.records.values()),
            recorded=recorded,
        )

    def record_of(self, desired: Desired) -> Tracked | None:
        """The record of that endpoint: of its name, or of the name it had."""
        takes = self.renames.takes
        return takes[desired.name] if desired.name in takes else self.records.get(desired.name)

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
        if old is not None and self.renames.former.get(old) == desired.name:
            yield old


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
    """One endpoint that two names lay claim to."""
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
