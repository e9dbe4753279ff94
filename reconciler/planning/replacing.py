"""`--create-first`: replacements whose new endpoint may serve before the old one goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.model.plan import Change, Replace
from reconciler.model.problem import Problem, Severity


def created_first(changes: Sequence[Change]) -> tuple[tuple[Change, ...], tuple[Problem, ...]]:
    """The changes with every replacement that can be turned round, and a note for each that cannot.

    An app name can be held by one endpoint at a time, so both can live only under different ones.
    """
    turned: list[Change] = []
    notes: list[Problem] = []
    for change in changes:
        if not isinstance(change, Replace):
            turned.append(change)
        elif change.live.fields.get("appName") in (None, change.app_name):
            turned.append(change)
            notes.append(_same_app_name(change))
        else:
            turned.append(replace(change, create_first=True))
    return tuple(turned), tuple(notes)


def _same_app_name(change: Replace) -> Problem:
    return Problem(
        code="not-created-first",
        severity=Severity.NOTE,
        summary=f"`{change.name}` is deleted first: both cannot be called `{change.app_name}` in their URL",
        hint="give it another `appName` to let the new one serve before the old one goes",
        address=change.address,
        place=change.desired.place,
    )
