"""The three sides of each endpoint: records are matched to live endpoints by ID, new declarations by name.

Endpoints that are being deleted count as gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.kinds.registry import KINDS
from reconciler.model.command import Operand, command_line
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import ENDPOINT, Desired, Inventory, Live, Tracked
from reconciler.model.secrets import reveal
from reconciler.model.values import value_at
from reconciler.planning.redaction import redact
from reconciler.planning.renames import Renames, renames
from reconciler.planning.selection import EVERYTHING, Selection
from reconciler.planning.unreadable import unidentified_problem

if TYPE_CHECKING:
    from reconciler.model.status import Managed


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedEndpoint:
    """One endpoint as declared, as recorded and as live; made by `matched`, which redacts `live`.

    `record` is the record of the live endpoint, `gone` a record whose endpoint is no longer live. `is_taken`
    is true if a declaration of another name has the live endpoint. `problem` says why the live endpoint is
    not certain (an error), or that another one has the same name (a warning).
    """

    name: str
    desired: Desired | None = None
    record: Tracked | None = None
    gone: Tracked | None = None
    live: Live | None = None
    is_taken: bool = False
    problem: Problem | None = None

    @property
    def kind(self) -> str:
        """Return the type of the resource."""
        side = self.desired or self.record or self.gone or self.live
        return side.kind if side else ENDPOINT

    @property
    def redacted(self) -> Live:
        """Return the live endpoint as it may be shown. Raise ValueError if there is none."""
        if self.live is None:
            raise ValueError(f"{self.name} is not live")
        return self.live


def matched(
    name: str,
    desired: Desired | None,
    record: Tracked | None,
    live: Live | None,
    *,
    is_taken: bool = False,
    problem: Problem | None = None,
) -> MatchedEndpoint:
    """Return the sides of one endpoint. Live values that may not be shown are wrapped here, and only here."""
    gone = None
    if live is not None:
        if record is not None and record.id != live.id:
            record, gone = None, record
        live = redact(live, desired.fields if desired else None, record.applied if record else None)
    else:
        record, gone = None, record
    return MatchedEndpoint(
        name=name,
        desired=desired,
        record=record,
        gone=gone,
        live=live,
        is_taken=is_taken,
        problem=problem,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """All endpoints that are declared, recorded or live.

    `recorded_ids` are the IDs of all records, `held_ids` those of endpoints that only their record may have.
    """

    desired: Sequence[Desired]
    records: Mapping[str, Tracked]
    by_id: Mapping[str, Live]
    by_name: Mapping[str, Sequence[Live]]
    renames: Renames
    recorded_ids: frozenset[str]
    held_ids: frozenset[str]
    unidentified_names: frozenset[str]

    @classmethod
    def of(
        cls,
        desired: Sequence[Desired],
        inventory: Inventory,
        live: Iterable[Live],
        unidentified: Iterable[Live] = (),
    ) -> Matching:
        """Match the sides. `unidentified` are live endpoints without a readable ID."""
        by_id = {endpoint.id: endpoint for endpoint in live if not endpoint.is_terminating}
        by_name: dict[str, list[Live]] = {}
        for endpoint in by_id.values():
            by_name.setdefault(endpoint.name, []).append(endpoint)
        declared = {endpoint.name for endpoint in desired}
        renamed = renames(desired, inventory, by_id)
        held = (
            record.id
            for record in inventory.records.values()
            if record.name in declared
            or record.name in renamed.former
            or record.id not in by_id
            or record.may_have_name(by_id[record.id].name)
            or not by_id[record.id].is_named
        )
        return cls(
            desired=desired,
            records=inventory.records,
            by_id=by_id,
            by_name=by_name,
            renames=renamed,
            recorded_ids=frozenset(record.id for record in inventory.records.values()),
            held_ids=frozenset(held),
            unidentified_names=frozenset(live.name for live in unidentified if live.is_named),
        )

    def endpoints(self, selection: Selection = EVERYTHING) -> Iterator[MatchedEndpoint]:
        """Yield the declared endpoints of a selection, then all that are recorded or live beside them."""
        used_names: set[str] = set()
        claimed_ids: set[str] = set()
        for desired in self.desired:
            record = self.record_of(desired)
            live: Live | None = None
            problem: Problem | None = None
            if record is not None:
                live = self.by_id.get(record.id)
                used_names.update((record.name, desired.name))
            if live is not None:
                claimed_ids.add(live.id)
                problem = self._namesake(desired, live)
            elif candidates := self.candidates(desired):
                claimed_ids.update(candidate.id for candidate in candidates)
                if len(candidates) == 1:
                    live = candidates[0]
                else:
                    problem = _ambiguous(desired, candidates)
            elif desired.name in self.unidentified_names:
                problem = unidentified_problem(desired)
            if selection.has(desired.name):
                yield matched(desired.name, desired, record, live, problem=problem)
        others = {name: record for name, record in self.records.items() if name not in used_names}
        for name, record in others.items():
            is_taken = record.id in claimed_ids
            yield matched(name, None, record, self.by_id.get(record.id), is_taken=is_taken)
        claimed_ids.update(record.id for record in others.values())
        for endpoint in self.by_id.values():
            if endpoint.id not in claimed_ids:
                yield matched(endpoint.name, None, None, endpoint)

    def record_of(self, desired: Desired) -> Tracked | None:
        """Return the record of a declared endpoint, by its name or by its former name."""
        takes = self.renames.takes
        return takes[desired.name] if desired.name in takes else self.records.get(desired.name)

    def candidates(self, desired: Desired) -> Sequence[Live]:
        """Return the live endpoints of its name, else of its former name, that no record holds."""
        for name in self._names(desired):
            if free := [live for live in self.by_name.get(name, ()) if live.id not in self.held_ids]:
                return _alike(desired, free)
        return ()

    def _names(self, desired: Desired) -> Iterator[str]:
        yield desired.name
        former = desired.renamed_from
        if former is not None and self.renames.former.get(former) == desired.name:
            yield former

    def _namesake(self, desired: Desired, live: Live) -> Problem | None:
        """Return a warning if unrecorded live endpoints have the name of a recorded one."""
        namesakes = self.by_name.get(desired.name, ())
        if len(namesakes) == 1 and namesakes[0] is live:
            return None
        if KINDS[desired.kind].identifying:
            return None  # its names need not be unique
        others = [
            other.id for other in namesakes if other.id != live.id and other.id not in self.recorded_ids
        ]
        if not others:
            return None
        return Problem(
            code="namesake",
            severity=Severity.WARNING,
            summary=f"`{desired.name}` is {live.id}; another live {KINDS[desired.kind].noun} has the same"
            f" name: {', '.join(sorted(others))}",
            hint="it is not changed and may bill; delete it in the console if nothing uses it",
            address=desired.address,
            place=desired.place,
        )


def managed(
    desired: Sequence[Desired] | None, inventory: Inventory, live: Iterable[Live]
) -> Mapping[str, Managed]:
    """Return who manages each live endpoint, by ID. IDs that are not in it are unmanaged.

    `desired` is None if the declarations cannot be read: every record then counts as declared.
    """
    from reconciler.model.status import Managed

    states = {
        record.id: Managed.IMPERATIVE
        if record.origin == "imperative"
        else Managed.DECLARED
        if desired is None
        else Managed.RECORDED
        for record in inventory.records.values()
    }
    if desired:
        matching = Matching.of(desired, inventory, live)
        for endpoint in desired:
            record = matching.record_of(endpoint)
            if record is not None:
                states[record.id] = Managed.DECLARED
            if record is None or record.id not in matching.by_id:
                candidates = matching.candidates(endpoint)
                states |= dict.fromkeys((candidate.id for candidate in candidates), Managed.DECLARED)
    return states


def _alike(desired: Desired, namesakes: Sequence[Live]) -> Sequence[Live]:
    """Return those with the declared identifying values; of several, those that are wholly as declared."""
    kind = KINDS[desired.kind]
    if not kind.identifying:
        return namesakes
    alike = [
        live
        for live in namesakes
        if all(
            reveal(value_at(live.fields, path)) == reveal(value_at(desired.fields, path))
            for path in kind.identifying
        )
    ]
    return [live for live in alike if reveal(live.fields) == reveal(desired.fields)] or alike


def _ambiguous(desired: Desired, candidates: Sequence[Live]) -> Problem:
    ids = sorted(candidate.id for candidate in candidates)
    hint = "delete or rename all but one in the console, then plan again"
    if desired.kind != ENDPOINT:  # a delete could lose data
        record = command_line("reconciler", "import", Operand(desired.address), Operand(ids[0]))
        hint = f"record the one that is meant: {record}"
    return Problem(
        code="ambiguous-name",
        summary=f"{len(ids)} live {KINDS[desired.kind].noun}s are called `{candidates[0].name}`: "
        + ", ".join(ids),
        detail="The inventory does not say which is meant, and a guess could overwrite the wrong one.",
        hint=hint,
        address=desired.address,
        place=desired.place,
    )


def identity_conflicts(desired: Sequence[Desired], inventory: Inventory) -> Iterator[Problem]:
    """Yield an error for each endpoint that two names refer to."""
    successors: dict[str, str] = {}
    for endpoint in desired:
        former = endpoint.renamed_from
        if former is not None and successors.setdefault(former, endpoint.name) != endpoint.name:
            yield Problem(
                code="renamed-twice",
                summary=f"`{successors[former]}` and `{endpoint.name}` are both renamed from `{former}`",
                hint="keep `renamedFrom` in the one that takes its place",
                address=endpoint.address,
                place=endpoint.place_of(("renamedFrom",)),
            )
    owners: dict[str, str] = {}
    for name, record in sorted(inventory.records.items()):
        if (owner := owners.setdefault(record.id, name)) != name:
            yield Problem(
                code="shared-id",
                summary=f"the inventory holds {record.id} under two names, `{owner}` and `{name}`",
                detail="A merge or a manual edit may be the cause; planned twice, they would conflict.",
                hint="drop the wrong one with: reconciler state rm NAME",
                address=record.address,
            )
