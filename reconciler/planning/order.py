"""What goes first: records, then what frees an app name, then the rest, then the other deletes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.model.plan import Action, Change, Create, Delete, Replace
from reconciler.planning.renames import holds_name_of, is_renamed
from reconciler.planning.steps import requests_of


def stages(changes: Iterable[Change]) -> tuple[tuple[Change, ...], ...]:
    """Groups to be worked one after the other; inside a group nothing depends on anything.

    New endpoints come before old ones go, so that a move keeps serving; an app name that must be free for a
    create is the exception.
    """
    pending = sorted((c for c in changes if c.action is not Action.NO_OP), key=lambda change: change.name)
    wanted = {app_name(change) for change in pending if isinstance(change, Create | Replace)}
    local: list[Change] = []
    freeing: list[Change] = []
    writes: list[Change] = []
    deletes: list[Change] = []
    renamed = [change for change in pending if is_renamed(change)]
    for change in pending:
        if not requests_of(change) and not any(holds_name_of(one, change) for one in renamed):
            local.append(change)
        elif freed(change) in wanted:
            freeing.append(change)
        elif isinstance(change, Delete):
            deletes.append(change)
        else:
            writes.append(change)
    return tuple(tuple(group) for group in (local, freeing, *_in_turn(writes), deletes) if group)


def _in_turn(writes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    """The writes, each one that takes a name after the rename that gives it up."""
    while holders := [one for one in writes if is_renamed(one)]:
        later = [one for one in writes if any(holds_name_of(other, one) for other in holders)]
        if not later or len(later) == len(writes):
            break
        yield [one for one in writes if one not in later]
        writes = later
    yield writes


def app_name(change: Create | Replace) -> str:
    """The app name that the new endpoint takes."""
    return change.app_name if isinstance(change, Replace) else change.desired.app_name


def freed(change: Change) -> str | None:
    """The app name that is free for others afterwards."""
    if not isinstance(change, Delete | Replace):
        return None
    given_up = change.live.fields.get("appName")
    return None if isinstance(change, Replace) and given_up == app_name(change) else given_up
