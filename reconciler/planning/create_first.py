"""Replacements: those whose new endpoint may serve before the old one goes, and those that cannot be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from reconciler.model.plan import Change, Delete, Replace
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Live


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


def app_names_taken(changes: Iterable[Change], live: Iterable[Live]) -> Iterator[Problem]:
    """An error for each replacement that would delete, and then find its app name with another endpoint."""
    replacing = [change for change in changes if isinstance(change, Replace)]
    if not replacing:
        return
    going = {change.live.id for change in changes if isinstance(change, Replace | Delete)}
    owners = {str(one.fields.get("appName")): one for one in live if one.id not in going}
    for change in replacing:
        owner = owners.get(change.app_name)
        if owner is not None:
            yield Problem(
                code="app-name-taken",
                summary=f"`{change.name}` would be made anew under the app name `{change.app_name}`, which"
                f" {owner.id} (`{owner.name}`) has and keeps for life",
                hint="declare another `appName` for it",
                address=change.address,
                place=change.desired.place,
            )
