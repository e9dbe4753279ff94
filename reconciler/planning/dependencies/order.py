"""Which changes must have succeeded before another one may begin.

A change of a resource needs the changes of those that it refers to. A delete needs the changes after which
the deleted resource is no longer used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.model.plan import Action, Cause, Change, Delete, Half, Plan, Replace, Update
from reconciler.model.problem import Problem
from reconciler.model.resource import Live, address
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


class Dependencies:
    """The changes of a plan and what each of them needs."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self._pending = {change.address: change for change in changes if change.action is not Action.NO_OP}
        self._users: dict[tuple[str, str], list[Change]] = {}
        self._referring: dict[str, list[Change]] = {}
        for change in self._pending.values():
            live = getattr(change, "live", None)
            for used in uses(live) if live else ():
                self._users.setdefault(used, []).append(change)
            for reference in _references(change):
                self._referring.setdefault(reference.address, []).append(change)

    def needed(self, change: Change) -> Sequence[Change]:
        """Return the changes that must have succeeded before this one may begin.

        The old object of a rotation also needs those that refer to the new one: what an object uses whose
        change failed is not certain.
        """
        if isinstance(change, Delete) or (isinstance(change, Replace) and change.half is Half.OLD):
            name = address(change.tracked.live_name, change.kind)
            return [*self.users(change.live), *self._referring.get(name, ())]
        return [self._pending[one.address] for one in _references(change) if one.address in self._pending]

    def users(self, live: Live) -> Sequence[Change]:
        """Return the changes of live resources that use this one."""
        return self._users.get((live.kind, live.id), ())


def _references(change: Change) -> Iterator[Reference]:
    """Yield what the declaration of a change refers to, as it was before IDs were known."""
    desired = getattr(change, "desired", None)
    yield from (reference for _, reference in (desired.references if desired else ()))


def dependency_failed(change: Change, needed: Change) -> Problem:
    """Return the problem of a change that is not attempted, because one that it needs did not succeed."""
    is_delete = isinstance(change, Delete) or getattr(change, "half", None) is Half.OLD
    why = f"it uses `{change.name}`" if is_delete else f"`{change.name}` refers to it"
    return Problem(
        code="dependency-failed",
        summary=f"{needed.address} was not {_VERBS[needed.action]}, and {why}",
        hint="mend that first, then run `reconciler apply` again",
        address=change.address,
    )


def old_not_deleted(change: Replace, why: Problem | None) -> Problem:
    """Return the problem of a rotation that ended before the old object was deleted."""
    because = f": {why.summary}" if why else ", because the run was stopped"
    return Problem(
        code="rotation-unfinished",
        summary=f"`{change.name}` is new, and {change.live.id}, the old one, is still there{because}",
        detail=why.detail if why else "",
        hint="run `reconciler apply` again; it deletes the old one when nothing uses it any more",
        address=change.address,
    )


def followers_of(plan: Plan) -> Mapping[str, Sequence[Change]]:
    """Return the changes that only follow a rotation, by the address of what is rotated."""
    rotated = {
        change.address for change in plan.changes if isinstance(change, Replace) and change.is_rotation
    }
    followers: dict[str, list[Change]] = {}
    for change in plan.pending if rotated else ():
        causes = {field.cause for field in change.fields}
        if isinstance(change, Update) and causes == {Cause.FOLLOWS}:
            used = {reference.address for _, reference in change.desired.references} & rotated
            for address in used:
                followers.setdefault(address, []).append(change)
    return followers


def unresolvable(changes: Sequence[Change]) -> Iterator[Problem]:
    """Yield an error for each reference to a resource that has no ID and gets none from these changes."""
    coming = {
        change.address for change in changes if change.action in (Action.CREATE, Action.REPLACE, Action.ADOPT)
    }
    for change in changes:
        desired = getattr(change, "desired", None)
        if desired is None:
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
