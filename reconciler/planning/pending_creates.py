"""Creates whose answer was lost: what a complete listing says became of them.

new endpoints of the name   read as was sent   result
none                                           open; once the settling time is over, nothing was made
one                         yes                made: it is recorded as ours
one                         no                 unresolved, a person decides
several                                        unresolved, a person decides
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace

from reconciler.model.command import Operand, command_line
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.resource import Intent, Inventory, Live, Tracked, address
from reconciler.model.secrets import Keyring
from reconciler.planning.comparison import compare
from reconciler.planning.matching import matched


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What became of each open create, by name: made as a record, open still, or beyond us.

    `deposed` are the records of live endpoints whose name one that was made has taken.
    """

    made: Mapping[str, Tracked]
    open: Mapping[str, Intent]
    unresolved: Mapping[str, tuple[Live, ...]]
    deposed: Mapping[str, Tracked] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """A note for each that is settled or open, an error for each that a person must settle."""
        begun = "was begun and its answer was lost"
        return (
            *(
                _note(name, f"creating `{name}` {begun}; it was made as {one.id}")
                for name, one in self.made.items()
            ),
            *(_note(name, f"creating `{name}` {begun}; nothing of that name is there") for name in self.open),
            *(unresolved(name, found) for name, found in self.unresolved.items()),
        )

    def of(self, inventory: Inventory) -> Inventory:
        """The inventory with what was made among its records; only what is open stays open."""
        kept = {**self.open, **{name: inventory.intents[name] for name in self.unresolved}}
        records = {**inventory.records, **self.made}
        records |= {record.name: record for record in self.deposed.values()}
        return replace(inventory, records=records, intents=kept)


def resolve(inventory: Inventory, live: Iterable[Live], keyring: Keyring) -> Resolution:
    """Look for every open create in a complete listing."""
    made: dict[str, Tracked] = {}
    still_open: dict[str, Intent] = {}
    beyond: dict[str, tuple[Live, ...]] = {}
    deposed: dict[str, Tracked] = {}
    known = {record.id for record in inventory.records.values()}
    there: set[str] = set()
    by_name: dict[str, list[Live]] = {}
    if inventory.intents:
        for one in live:
            if one.id in known:
                there.add(one.id)
            else:
                by_name.setdefault(one.name, []).append(one)
    for name, intent in inventory.intents.items():
        found = newcomers(intent, by_name.get(name, ()))
        if not found:
            still_open[name] = intent
        elif len(found) == 1 and matches_intent(intent, found[0], keyring):
            made[name] = recorded(intent, found[0].id)
            before = inventory.records.get(name)
            if before is not None and before.id in there:
                deposed[name] = before.deposed()
        else:
            beyond[name] = found
    return Resolution(made=made, open=still_open, unresolved=beyond, deposed=deposed)


def newcomers(intent: Intent, live: Iterable[Live]) -> tuple[Live, ...]:
    """Those live endpoints of the intent's name that were not there before it, and are here to stay."""
    return tuple(
        one
        for one in live
        if one.name == intent.name and one.id not in intent.known_ids and not one.is_terminating
    )


def matches_intent(intent: Intent, live: Live, keyring: Keyring) -> bool:
    """Whether an endpoint is as the create described it, secrets compared by fingerprint."""
    if live.fields.get("appName", intent.app_name) != intent.app_name:
        return False
    return compare(matched(intent.name, None, recorded(intent, live.id), live), keyring).drift is None


def recorded(intent: Intent, object_id: str) -> Tracked:
    """The record of what an intent made."""
    return Tracked(
        name=intent.name,
        id=object_id,
        applied=intent.applied,
        prevent_destroy=intent.prevent_destroy,
        origin=intent.origin,
        renamed_from=intent.renamed_from,
        kind=intent.kind,
    )


def unresolved(name: str, found: Iterable[Live]) -> Problem:
    """What only a person can settle, with the IDs and the command that settles it."""
    ids = sorted(one.id for one in found)
    several = len(ids) > 1
    settle = command_line("reconciler", "recover", Operand(name), "--id", ids[0])
    what = (
        f"{len(ids)} new endpoints have that name" if several else "a new endpoint of that name is otherwise"
    )
    return Problem(
        code="create-unresolved",
        summary=f"creating `{name}` was begun and its answer was lost; {what}: {', '.join(ids)}",
        detail="One of them may be ours, and a guess could bill twice or take what is somebody else's.",
        hint=f"{settle}   if that is the one, or --none if none is",
        address=address(name),
        exit_code=ExitCode.UNRESOLVED,
    )


def _note(name: str, summary: str) -> Problem:
    return Problem(code="open-create", summary=summary, severity=Severity.NOTE, address=address(name))
