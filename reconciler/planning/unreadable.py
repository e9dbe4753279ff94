"""Changes of endpoints for which a part of Novita's answer cannot be read.

Such a part is not compared. An update sends an endpoint in full, so that fields which are neither declared
nor readable would be lost; a delete checks the name. A change that needs an unreadable part is refused.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.kinds.registry import KINDS
from reconciler.model.command import command_line
from reconciler.model.plan import Adopt, Change, Create, Delete, Forget, NoOp, Replace, Scale, Update
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Live
from reconciler.model.values import Path


def unread_problem(change: Change) -> Problem | None:
    """Return an error if the change needs an unreadable part, a note if it does not; else None."""
    match change:
        case Create() | Forget() | NoOp(live=Live(unread=())):
            return None
        case Delete() | Replace():
            missing = _identity(change)
        case Update() | Scale():
            missing = (*_identity(change), *KINDS[change.kind].unsendable(change.live, change.target))
        case Adopt() if change.fields:
            missing = (*_identity(change), *KINDS[change.kind].unsendable(change.live, change.target))
        case _:
            missing = ()
    if missing:
        return Problem(
            code="unreadable-endpoint",
            summary=f"`{change.name}` ({change.live.id}) cannot be changed: Novita's answer about it has"
            f" {_named(missing, change.kind)} in a form that cannot be read",
            detail="An update sends every field and a delete checks the name: a part could be lost.",
            hint=f"correct it in Novita Console; {_without(change.name)}",
            address=change.address,
        )
    uncompared = [
        path for path in change.live.unread if path[0] not in (*KINDS[change.kind].uncompared, "url")
    ]
    if not uncompared:
        return None
    return Problem(
        code="unread-fields",
        severity=Severity.NOTE,
        summary=f"`{change.name}`: Novita's answer has {_named(uncompared, change.kind)} in a form that"
        " cannot be read; not compared",
        address=change.address,
    )


def unidentified_problem(desired: Desired) -> Problem:
    """Return the error that a live endpoint of a declared name has no readable ID."""
    return Problem(
        code="unreadable-endpoint",
        summary=f"a live endpoint is called `{desired.name}`, and its ID cannot be read",
        detail="It may be the declared one; a create could duplicate it.",
        hint=f"look at it in Novita Console; {_without(desired.name)}",
        address=desired.address,
        place=desired.place,
    )


def describe_unread(live: Live) -> str:
    """Return a line that names an endpoint and its unreadable parts."""
    return f"`{live.name}` ({live.id}): {_named(live.unread, live.kind)}"


def _without(name: str) -> str:
    return f"`{command_line('reconciler', 'apply', '--exclude', name)}` applies the rest"


def _identity(change: Update | Scale | Adopt | Replace | Delete) -> tuple[Path, ...]:
    return tuple(path for path in (("id",), ("name",)) if path in change.live.unread)


def _named(paths: Iterable[Path], kind: str) -> str:
    return ", ".join(map(KINDS[kind].table.label, paths))
