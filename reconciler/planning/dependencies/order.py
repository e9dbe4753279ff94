"""Which changes must have succeeded before another one may begin.

A change of a resource needs the changes of those that it refers to. A delete needs the changes after which
the deleted resource is no longer used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.model.plan import Action, Change, Delete
from reconciler.model.problem import Problem
from reconciler.model.values import Reference
from reconciler.planning.dependencies.references import references_of
from reconciler.planning.dependencies.users import uses

_VERBS = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.SCALE: "updated",
    Action.REPLACE: "replaced",
    Action.DELETE: "deleted",
    Action.ADOPT: "imported",
    Action.FORGET: "removed from the inventory",
    Action.NO_OP: "recorded",
}
"""The past participle of each action."""


def needed_changes(changes: Iterable[Change]) -> Mapping[str, Sequence[Change]]:
    """Return the changes that each change needs, by its address."""
    pending = {change.address: change for change in changes if change.action is not Action.NO_OP}
    users = _changed_users(pending.values())
    needed: dict[str, list[Change]] = {}
    for address, change in pending.items():
        desired = getattr(change, "desired", None)
        found = [pending[one.address] for one in _references(desired) if one.address in pending]
        if isinstance(change, Delete):
            found += users.get((change.kind, change.live.id), ())
        if found:
            needed[address] = found
    return needed


def _references(desired: object) -> Iterator[Reference]:
    for _, reference in getattr(desired, "references", ()):
        yield reference


def _changed_users(changes: Iterable[Change]) -> Mapping[tuple[str, str], list[Change]]:
    """Return the changes of live resources that use another one, by the type and the ID of that."""
    users: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        live = getattr(change, "live", None)
        for used in uses(live) if live else ():
            users.setdefault(used, []).append(change)
    return users


def dependency_failed(change: Change, needed: Change) -> Problem:
    """Return the problem of a change that is not attempted, because one that it needs did not succeed."""
    uses = f"it uses `{change.name}`" if isinstance(change, Delete) else f"`{change.name}` refers to it"
    return Problem(
        code="dependency-failed",
        summary=f"{needed.address} was not {_VERBS[needed.action]}, and {uses}",
        hint="mend that first, then run `reconciler apply` again",
        address=change.address,
    )


def unresolvable(changes: Sequence[Change]) -> Iterator[Problem]:
    """Yield an error for each reference to a resource that has no ID and gets none from these changes."""
    coming = {
        change.address for change in changes if change.action in (Action.CREATE, Action.REPLACE, Action.ADOPT)
    }
    for change in changes:
        desired = getattr(change, "desired", None)
        if desired is None or not desired.references:
            continue
        for path, reference in references_of(desired):
            if reference.address not in coming:
                yield Problem(
                    code="unresolved-reference",
                    summary=f"`{change.name}` refers to {reference.address}, which does not exist and is not "
                    "created by this plan",
                    hint="include it in the run: leave out the --exclude that matches it",
                    address=change.address,
                    place=desired.place_of(path),
                )
