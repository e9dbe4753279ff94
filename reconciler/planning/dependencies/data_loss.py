"""The guard of changes that lose data, and the warning that data is lost already."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from reconciler.kinds.registry import KINDS
from reconciler.model.plan import Change, Create, Delete, Replace
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.resource import Live
from reconciler.planning.dependencies.users import users_of

FLAG: Final = "--allow-storage-delete"


def data_loss_problems(
    changes: Sequence[Change], live: Iterable[Live], allowed: Collection[str]
) -> Iterator[Problem]:
    """Yield the guards and the warnings about data. `live` are the endpoints of the account.

    `allowed` are the names of what may be deleted with its data.
    """
    live = tuple(live)
    yield from _guards(changes, live, allowed)
    yield from _gone(changes, live)


def _guards(changes: Sequence[Change], live: Iterable[Live], allowed: Collection[str]) -> Iterator[Problem]:
    """Yield a guard for each delete that loses data, with the size and the endpoints that use it."""
    losses = [
        (change, lost)
        for change in changes
        if isinstance(change, Delete | Replace) and (lost := KINDS[change.kind].lost_with(change.live))
    ]
    users = users_of(live) if losses else {}
    for change, lost in losses:
        if change.name in allowed:
            continue
        names = users.get((change.kind, change.live.id), ())
        used = f"it is mounted by {_listed(names)}" if names else "no endpoint mounts it"
        yield Problem(
            code="storage-delete",
            summary=f"`{change.name}` ({change.live.id}) would be deleted with all its data, {lost}; {used}",
            detail="The data cannot be restored.",
            hint=f"if nobody needs the data, pass {FLAG} {change.name}",
            address=change.address,
            exit_code=ExitCode.GUARD,
        )


def _gone(changes: Sequence[Change], live: Iterable[Live]) -> Iterator[Problem]:
    """Yield a warning for each object that is created again because it is gone with its data."""
    gone = [(change, change.gone) for change in changes if isinstance(change, Create) and change.gone]
    users = users_of(live) if gone else {}
    for change, record in gone:
        names = _listed(users.get((change.kind, record.id), ()))
        warning = KINDS[change.kind].gone_warning(change, record, names)
        if warning is not None:
            yield warning


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
