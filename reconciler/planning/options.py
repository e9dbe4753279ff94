"""Options that modify a plan: `--replace`, `--no-delete`, `--create-first`, `--drain` and `--adopt`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from shlex import quote

from reconciler.kinds.registry import KINDS
from reconciler.model.command import command_line
from reconciler.model.plan import Adopt, Change, Create, Delete, NoOp, Replace, Scale, Update
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import address
from reconciler.model.settings import Allowances
from reconciler.model.text import closest_match


def apply_options(
    changes: Sequence[Change], allow: Allowances, unselected: Collection[str] = ()
) -> tuple[tuple[Change, ...], tuple[Problem, ...]]:
    """Return the changes that the options leave or modify, and notes and errors about options.

    unselected: names of declared or recorded endpoints that --target or --exclude leave out.
    """
    kept, unreplaced = (
        replace_on_request(changes, allow, unselected) if allow.replaced else (tuple(changes), ())
    )
    kept, omitted = without_deletes(kept) if allow.no_delete else (kept, ())
    kept, refused = create_first(kept) if allow.create_first else (kept, ())
    kept = drain_first(kept) if allow.drain else kept
    kept = adopt_on_request(kept) if allow.adopt else kept
    return kept, (*unreplaced, *omitted, *refused)


def replace_on_request(
    changes: Iterable[Change], allow: Allowances, unselected: Collection[str] = ()
) -> tuple[tuple[Change, ...], tuple[Problem, ...]]:
    """Return the changes with the requested replacements, and an error for each impossible one (`--replace`).

    A restart must not carry out other changes.
    """
    by_key = {change.key: change for change in changes}
    known = (*by_key, *unselected)
    problems: list[Problem] = []
    for name in dict.fromkeys(allow.replaced):
        change = by_key.get(name)
        if isinstance(change, Create | Replace):
            continue  # it gets a new endpoint anyway
        if allow.restarts and isinstance(change, Update | Scale):
            problems.append(_not_only_a_restart(change))
        elif isinstance(change, NoOp | Update | Scale) and KINDS[change.kind].lost_with(change.live):
            problems.append(_would_lose_data(change))
        elif isinstance(change, NoOp | Update | Scale) and not getattr(change, "temporary", None):
            by_key[name] = _replacement(change)
        else:
            is_unselected = change is None and name in unselected
            problems.append(_unselected(name) if is_unselected else _cannot_replace(name, change, known))
    return tuple(by_key.values()), tuple(problems)


def _replacement(change: NoOp | Update | Scale) -> Replace:
    kind, desired, live = KINDS[change.kind], change.desired, change.live
    ignored = (*desired.lifecycle.ignore, *desired.unset)
    want, _ = kind.sides(desired.fields, change.tracked.applied, live.fields, ignored, live.unread)
    return Replace(
        name=change.name,
        reason="requested by the command",
        fields=change.fields,
        desired=desired,
        target=kind.replacement(want, live.fields, desired.lifecycle.ignore),
        live=live,
        tracked=change.tracked,
        is_requested=True,
        create_first=kind.creates_first,
        is_rotation=kind.creates_first,
    )


def _not_only_a_restart(change: Update | Scale) -> Problem:
    table = KINDS[change.kind].table
    paths = ", ".join(table.label(field.path) for field in change.fields)
    apply = command_line("reconciler", "apply", "--target", change.name)
    return Problem(
        code="pending-changes",
        summary=f"`{change.name}` has changes that are not applied: {paths}",
        detail="A restart changes nothing else.",
        hint=f"{apply}   applies them; an update of other fields than the worker counts starts new workers",
        address=change.address,
        place=change.desired.place,
    )


def _would_lose_data(change: NoOp | Update | Scale) -> Problem:
    return Problem(
        code="cannot-replace",
        summary=f"`{change.name}` cannot be replaced: its data would be lost,"
        f" {KINDS[change.kind].lost_with(change.live)}",
        hint="declare a second one under another name, copy the data, and remove this one afterwards",
        address=change.address,
        place=change.desired.place,
    )


def _unselected(name: str) -> Problem:
    return Problem(
        code="cannot-replace",
        summary=f"`{name}` cannot be replaced: --target or --exclude leaves it out",
        hint=f"select it too, with --target {quote(name)}, and do not exclude it",
        address=address(name),
    )


def _cannot_replace(name: str, change: Change | None, known: Iterable[str]) -> Problem:
    hint = "only an endpoint that is declared, recorded and live can be replaced\n"
    hint += f"{command_line('reconciler', 'list')}   shows the endpoints"
    if change is None and (close := closest_match(name, known)):
        hint = f"did you mean `{close}`?"
    return Problem(
        code="cannot-replace",
        summary=f"`{name}` cannot be replaced: "
        + ("the plan has no such endpoint" if change is None else f"the plan is to {change.action} it"),
        hint=hint,
        address=change.address if change else None,
    )


def without_deletes(changes: Iterable[Change]) -> tuple[tuple[Change, ...], tuple[Problem, ...]]:
    """Return the changes that delete nothing, and a note for each other one (`--no-delete`).

    A rotation is kept: nothing is lost by it, and its users need the new object.
    """
    kept: list[Change] = []
    notes: list[Problem] = []
    for change in changes:
        if isinstance(change, Delete) or (isinstance(change, Replace) and not change.is_rotation):
            notes.append(
                Problem(
                    code="not-deleted",
                    severity=Severity.NOTE,
                    summary=f"`{change.name}` is not changed: --no-delete omits its {change.action}",
                    address=change.address,
                )
            )
        else:
            kept.append(change)
    return tuple(kept), tuple(notes)


def create_first(changes: Iterable[Change]) -> tuple[tuple[Change, ...], tuple[Problem, ...]]:
    """Let replacements create the new endpoint first; return a note for each that cannot (`--create-first`).

    Two endpoints cannot have one app name at the same time.
    """
    modified: list[Change] = []
    notes: list[Problem] = []
    for change in changes:
        if not isinstance(change, Replace) or change.is_rotation:
            modified.append(change)
        elif change.live.fields.get("appName") in (None, change.app_name):
            modified.append(change)
            notes.append(_same_app_name(change))
        else:
            modified.append(replace(change, create_first=True))
    return tuple(modified), tuple(notes)


def _same_app_name(change: Replace) -> Problem:
    return Problem(
        code="not-created-first",
        severity=Severity.NOTE,
        summary=f"`{change.name}` is deleted first: both cannot have the app name `{change.app_name}`",
        hint="give it another `appName` to let the new one serve before the old one goes",
        address=change.address,
        place=change.desired.place_of(("appName",)),
    )


def drain_first(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Let each scale stop new work for its surplus workers first (`--drain`)."""
    return tuple(
        replace(
            change, drain=KINDS[change.kind].surplus(change.live, change.target["workerConfig"]["maxNum"])
        )
        if isinstance(change, Scale) and "maxNum" in change.target["workerConfig"]
        else change
        for change in changes
    )


def adopt_on_request(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Mark all adoptions as requested by the user (`--adopt`)."""
    return tuple(
        replace(change, is_requested=True) if isinstance(change, Adopt) else change for change in changes
    )
