"""What goes first: records, then what frees an app name, then the rest, then the other deletes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.kinds.registry import KINDS
from reconciler.model.plan import Action, Change, Create, Delete, Replace
from reconciler.planning.renames import holds_name_of, is_renamed
from reconciler.planning.steps import requests_of


def stages(changes: Iterable[Change]) -> tuple[tuple[Change, ...], ...]:
    """Return groups to be worked one after the other; inside a group no change depends on another.

    A kind comes after the kinds that it needs; it is deleted before them. New endpoints are created before
    old ones are deleted, so that a move keeps serving, unless a create needs an app name that a delete frees.
    """
    by_kind: dict[str, list[Change]] = {}
    for change in sorted(changes, key=lambda change: change.name):
        if change.action is not Action.NO_OP:
            by_kind.setdefault(change.kind, []).append(change)
    parts = [_stages_of_kind(by_kind[kind]) for kind in in_order_of_needs(by_kind)]
    writes = [group for part in parts for group in part[:-1]]
    deletes = [part[-1] for part in reversed(parts)]
    return tuple(tuple(group) for group in (*writes, *deletes) if group)


def in_order_of_needs(kinds: Iterable[str]) -> list[str]:
    """Return the kinds, each after those that it needs."""
    ordered: dict[str, None] = {}

    def add(kind: str) -> None:
        for needed in KINDS[kind].needs:
            add(needed)
        ordered.setdefault(kind)

    wanted = sorted(kinds)
    for kind in wanted:
        add(kind)
    return [kind for kind in ordered if kind in wanted]


def _stages_of_kind(pending: Sequence[Change]) -> Sequence[Sequence[Change]]:
    """Return the groups of one kind; the last one are the deletes."""
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
    return (local, freeing, *_in_turn(writes), deletes)


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
