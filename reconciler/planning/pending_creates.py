"""Creates whose answer was lost, and what a complete listing shows of them.

new endpoints of the name   as sent   result
none                                  open; after the settling time, nothing was created
one                         yes       created: it is recorded
one                         no        unresolved: the user decides
several                               unresolved: the user decides
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field, replace

from reconciler.kinds.registry import KINDS
from reconciler.model.command import Operand, command_line
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.resource import Intent, Inventory, Live, Tracked, address, key_of
from reconciler.model.secrets import Keyring, Sealed
from reconciler.model.values import value_at
from reconciler.planning.comparison import compare
from reconciler.planning.matching import matched


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The result of each open create, by name.

    `created` has the records of those that were created, `deposed` those of live endpoints whose name they
    have taken.
    """

    created: Mapping[str, Tracked]
    open: Mapping[str, Intent]
    unresolved: Mapping[str, tuple[Live, ...]]
    deposed: Mapping[str, Tracked] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return a note for each that is settled or open, an error for each that the user must settle."""
        lost = "was sent and its answer was lost"
        return (
            *(
                _note(name, record.kind, f"creating `{name}` {lost}; it was created as {record.id}")
                for name, record in self.created.items()
            ),
            *(
                _note(
                    name,
                    intent.kind,
                    f"creating `{name}` {lost}; no {KINDS[intent.kind].noun} has that name",
                )
                for name, intent in self.open.items()
            ),
            *(unresolved(name, candidates) for name, candidates in self.unresolved.items()),
        )

    def of(self, inventory: Inventory) -> Inventory:
        """Return the inventory with the created endpoints recorded; the other creates stay open."""
        kept = {**self.open, **{name: inventory.intents[name] for name in self.unresolved}}
        records = {**inventory.records, **self.created}
        records |= {record.name: record for record in self.deposed.values()}
        return replace(inventory, records=records, intents=kept)


def resolve(inventory: Inventory, live: Iterable[Live], keyring: Keyring) -> Resolution:
    """Return what a complete listing shows of every open create."""
    created: dict[str, Tracked] = {}
    still_open: dict[str, Intent] = {}
    undecided: dict[str, tuple[Live, ...]] = {}
    deposed: dict[str, Tracked] = {}
    known = {record.id for record in inventory.records.values()}
    live_ids: set[str] = set()
    by_name: dict[str, list[Live]] = {}
    if inventory.intents:
        for endpoint in live:
            if endpoint.id in known:
                live_ids.add(endpoint.id)
            else:
                by_name.setdefault(endpoint.name, []).append(endpoint)
    for name, intent in inventory.intents.items():
        candidates = new_endpoints(intent, by_name.get(name, ()))
        if not candidates:
            still_open[name] = intent
        elif len(candidates) == 1 and matches_intent(intent, candidates[0], keyring):
            created[name] = intent_record(intent, candidates[0].id)
            before = inventory.records.get(name)
            if before is not None and before.id in live_ids:
                deposed[name] = before.deposed()
        else:
            undecided[name] = candidates
    return Resolution(created=created, open=still_open, unresolved=undecided, deposed=deposed)


def new_endpoints(intent: Intent, live: Iterable[Live]) -> tuple[Live, ...]:
    """Return the live endpoints of the intent's name that did not exist before it.

    Of a kind whose names are not unique, those with other identifying values are not meant.
    """
    identifying = [
        (path, value)
        for path in KINDS[intent.kind].identifying
        if not isinstance(value := value_at(intent.applied, path), Sealed)
    ]
    return tuple(
        endpoint
        for endpoint in live
        if endpoint.name == intent.name
        and endpoint.id not in intent.known_ids
        and not endpoint.is_terminating
        and all(value_at(endpoint.fields, path) == value for path, value in identifying)
    )


def matches_intent(intent: Intent, live: Live, keyring: Keyring) -> bool:
    """Return whether an endpoint is as the create described it, with secrets compared by fingerprint."""
    if live.fields.get("appName", intent.app_name) != intent.app_name:
        return False
    return compare(matched(intent.name, None, intent_record(intent, live.id), live), keyring).drift is None


def intent_record(intent: Intent, object_id: str) -> Tracked:
    """Return the record of the endpoint that an intent created."""
    return Tracked(
        name=intent.name,
        id=object_id,
        applied=intent.applied,
        prevent_destroy=intent.prevent_destroy,
        origin=intent.origin,
        renamed_from=intent.renamed_from,
        kind=intent.kind,
    )


def unresolved(name: str, candidates: Collection[Live]) -> Problem:
    """Return the error that only the user can settle a create, with the IDs and the command for it."""
    ids = sorted(endpoint.id for endpoint in candidates)
    several = len(ids) > 1
    kind = KINDS[next(iter(candidates)).kind]
    settle = command_line("reconciler", "recover", Operand(key_of(name, kind.type)), "--id", ids[0])
    what = (
        f"{len(ids)} new {kind.noun}s have that name"
        if several
        else f"a new {kind.noun} of that name differs"
    )
    return Problem(
        code="create-unresolved",
        summary=f"creating `{name}` was sent and its answer was lost; {what}: {', '.join(ids)}",
        detail="One of them may be the created one; a guess could bill twice or adopt a foreign one.",
        hint=f"{settle}   if that is the one, or --none if none is",
        address=address(name, kind.type),
        exit_code=ExitCode.UNRESOLVED,
    )


def _note(name: str, kind: str, summary: str) -> Problem:
    return Problem(code="open-create", summary=summary, severity=Severity.NOTE, address=address(name, kind))
