"""The warning that an object cannot be deleted, because endpoints that the run does not change use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.kinds.registry import KINDS
from reconciler.model.plan import Action, Change, Delete, Replace
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Live
from reconciler.planning.dependencies.users import users_of


def other_users(changes: Sequence[Change], live: Iterable[Live]) -> Iterator[Problem]:
    """Yield a warning for each object that the run would delete, but that others will still use.

    `live` are the endpoints of the account. Objects with data have a guard of their own, `data_loss`.
    """
    deleted = [
        change
        for change in changes
        if isinstance(change, Delete | Replace) and not KINDS[change.kind].lost_with(change.live)
    ]
    if not deleted:
        return
    changed = {
        change.live.id for change in changes if hasattr(change, "live") and change.action != Action.NO_OP
    }
    users = users_of(one for one in live if one.id not in changed)
    for change in deleted:
        if names := users.get((change.kind, change.live.id)):
            listed = ", ".join(f"`{name}`" for name in names)
            uses = "uses" if len(names) == 1 else "use"
            yield Problem(
                code="still-used",
                severity=Severity.WARNING,
                summary=f"{listed} {uses} {change.address} ({change.live.id}) as well, and this run does not "
                "change that",
                detail="Novita will refuse to delete it, and the apply will end with exit code 4.",
                hint="leave out --target and --exclude, or change what else uses it first",
                address=change.address,
            )
