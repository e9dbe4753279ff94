"""Creates whose answer was lost: what a complete listing says became of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace

from reconciler.model.exits import Exit
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Intent, Inventory, Live, address


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The new live endpoints of an intent's name: none, the one that it made, or several."""

    intent: Intent
    newcomers: tuple[Live, ...]


def findings(inventory: Inventory, live: Iterable[Live]) -> tuple[Finding, ...]:
    """What there is now for each open intent."""
    if not inventory.intents:
        return ()
    tracked = {record.id for record in inventory.records.values()}
    by_name: dict[str, list[Live]] = {}
    for one in live:
        if not one.is_going and one.id not in tracked:
            by_name.setdefault(one.name, []).append(one)
    return tuple(newcomers(intent, by_name.get(intent.name, ())) for intent in inventory.intents.values())


def newcomers(intent: Intent, namesakes: Iterable[Live]) -> Finding:
    """Those live endpoints of the intent's name that were not there before it."""
    new = tuple(one for one in namesakes if one.name == intent.name and one.id not in intent.known_ids)
    return Finding(intent=intent, newcomers=new)


def intent_problems(inventory: Inventory, live: Iterable[Live], declared: Set[str]) -> Iterator[Problem]:
    """What is to be said about each open create; several newcomers, or one not declared, need a person."""
    for finding in findings(inventory, live):
        name, ids = finding.intent.name, ", ".join(one.id for one in finding.newcomers)
        begun = f"creating `{name}` was begun and its answer was lost"
        if not finding.newcomers:
            yield _said(name, f"{begun}; nothing of that name is there", Severity.NOTE)
        elif len(finding.newcomers) > 1:
            yield replace(
                _said(name, f"{begun}; {len(finding.newcomers)} new endpoints have that name: {ids}"),
                hint="delete all but one in the console, then plan again",
                exit_code=Exit.UNRESOLVED,
            )
        elif name not in declared:
            yield replace(
                _said(
                    name, f"{begun}; {ids} has that name, bills, and is no longer declared", Severity.WARNING
                ),
                hint=f"declare `{name}` again to manage it, or delete {ids} in the console",
            )
        else:
            yield _said(name, f"{begun}; {ids} is the one new endpoint of that name", Severity.NOTE)


def _said(name: str, summary: str, severity: Severity = Severity.ERROR) -> Problem:
    return Problem(code="open-create", summary=summary, severity=severity, address=address(name))
