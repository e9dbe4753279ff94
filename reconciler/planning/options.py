"""Options that modify a plan: `--no-delete`, `--create-first`, `--drain` and `--adopt`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from reconciler.kinds.registry import KINDS
from reconciler.model.plan import Adopt, Change, Delete, Replace, Scale
from reconciler.model.problem import Problem, Severity
from reconciler.model.settings import Allowances


def apply_options(
    changes: Sequence[Change], allow: Allowances
) -> tuple[tuple[Change, ...], tuple[Problem, ...]]:
    """Return the changes that the options leave or modify, and a note for each that is omitted or kept."""
    kept, omitted = without_deletes(changes) if allow.no_delete else (tuple(changes), ())
    kept, refused = create_first(kept) if allow.create_first else (kept, ())
    kept = drain_first(kept) if allow.drain else kept
    kept = adopt_on_request(kept) if allow.adopt else kept
    return kept, (*omitted, *refused)


def without_deletes(changes: Iterable[Change]) -> tuple[tuple[Change, ...], tuple[Problem, ...]]:
    """Return the changes that delete nothing, and a note for each other one (`--no-delete`)."""
    kept: list[Change] = []
    notes: list[Problem] = []
    for change in changes:
        if isinstance(change, Delete | Replace):
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
        if not isinstance(change, Replace):
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
