"""The steps of each change, and the order of changes.

`apply` performs the steps, `preview` prints their writes, and `plan --explain` tells all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field, replace
from enum import StrEnum
from typing import Final, assert_never
from urllib.parse import urlencode

from reconciler.kinds.registry import KINDS, in_order_of_needs
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import (
    Action,
    Adopt,
    Change,
    Create,
    Delete,
    Forget,
    Half,
    NoOp,
    Replace,
    Scale,
    TemporaryName,
    Update,
)
from reconciler.model.request import Request
from reconciler.model.resource import Live
from reconciler.model.values import Fields
from reconciler.planning.renames import is_renamed, must_precede

NEW_ID: Final = "NEW-ID"
"""Stands for the ID of an endpoint that is yet to be created."""


SHARED: Final = "; several changes may share a listing"
"""Follows the purpose of a read, because one listing serves many changes (decision 40)."""


class StepKind(StrEnum):
    """The kind of a step. Its value is a clause that describes it."""

    VERIFY = "checks that nothing has changed since the plan"
    VERIFY_NAME = "checks that it still has its name"
    DRAIN = "stops new work for a worker that is to go"
    SET_TEMPORARY_NAME = "gives the endpoint that has the name a temporary one"
    READ_BACK_TEMPORARY_NAME = "reads it back until it has that name"
    CREATE = "creates it"
    UPDATE = "writes the declared fields, and the live value of all others"
    READ_BACK = "reads it back until it is as declared"
    DELETE = "deletes it"
    WAIT_TERMINATING = "waits until it is being deleted"
    WAIT_GONE = "waits until it is gone and the app name is free"


_CREATES_FIRST: Final = "creates the new one, under its own app name"
_DELETES_OLD: Final = "deletes the old one, now that the new one is there"
_DELETES_UNUSED: Final = "deletes the old one, after all that used it has the new one"

_WRITES: Final = frozenset(
    {StepKind.DRAIN, StepKind.SET_TEMPORARY_NAME, StepKind.CREATE, StepKind.UPDATE, StepKind.DELETE}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One API call of a change. `purpose` is a clause such as `reads it back`.

    `live` is the endpoint as planned, None if this change creates it. `expected` are the fields to read back.
    Reads may be repeated, and a listing may take the place of those of several changes. After a create whose
    answer is lost, the account is listed as well.
    """

    kind: StepKind
    request: Request
    purpose: str
    live: Live | None = None
    expected: Fields = field(default_factory=dict)

    @property
    def planned(self) -> Live:
        """Return the endpoint as planned. Raise ValueError if this change creates it."""
        if self.live is None:
            raise ValueError(f"{self.kind.name} has no endpoint yet")
        return self.live

    @property
    def is_write(self) -> bool:
        return self.kind in _WRITES

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def path(self) -> str:
        """Return the path with its query."""
        query = f"?{urlencode(self.request.query)}" if self.request.query else ""
        return self.request.path + query


def steps_of(change: Change, freed_by: str | None = None) -> Iterator[Step]:
    """Yield the steps of one change in their order; none if only the inventory is touched.

    `freed_by` is the endpoint that must release the app name first.
    """
    match change:
        case Create():
            after = f", once `{freed_by}` has released the app name" if freed_by else ""
            yield from _create_steps(change, f"{StepKind.CREATE}{after}")
        case Update() | Scale() | Adopt():
            yield from _update_steps(change)
        case Replace(create_first=True):
            if change.half is not Half.OLD:
                yield _read(StepKind.VERIFY, change.live)
                yield from _create_steps(
                    change, "creates the new one" if change.is_rotation else _CREATES_FIRST
                )
            if change.half is not Half.NEW:
                yield _read(StepKind.VERIFY_NAME, change.live)
                yield _delete(change, _DELETES_UNUSED if change.is_rotation else _DELETES_OLD)
                yield _read(StepKind.WAIT_TERMINATING, change.live)
        case Replace():
            yield _read(StepKind.VERIFY, change.live)
            yield _delete(change, "deletes it, because only that releases its app name")
            yield _read(StepKind.WAIT_GONE, change.live)
            yield from _create_steps(change, "creates the new one")
        case Delete():
            yield _read(StepKind.VERIFY_NAME, change.live)
            yield _delete(change)
            yield _read(StepKind.WAIT_TERMINATING, change.live)
        case Forget() | NoOp():
            return
        case _:
            assert_never(change)


def requests_of(change: Change) -> tuple[Request, ...]:
    """Return the writes of one change in their order."""
    return tuple(step.request for step in steps_of(change) if step.is_write)


def has_steps(change: Change) -> bool:
    """Return whether the change sends anything. One that does not touches the inventory alone."""
    return not isinstance(change, Forget | NoOp) and not (isinstance(change, Adopt) and not change.fields)


def create_request(change: Create | Replace) -> Request:
    """Return the request that creates the new endpoint."""
    target = change.target if isinstance(change, Replace) else None
    return KINDS[change.kind].create_request(change.desired, target)


def _update_steps(change: Update | Scale | Adopt) -> Iterator[Step]:
    kind, live = KINDS[change.kind], change.live
    if isinstance(change, Scale) and change.drain:
        yield _read(StepKind.VERIFY, live)
        for worker in change.drain:
            yield _step(StepKind.DRAIN, kind.drain_request(worker), live)
    if isinstance(change, Update) and change.temporary is not None:
        yield from _temporary_name_steps(change.temporary)
    if has_steps(change):
        yield _read(StepKind.VERIFY, live)
        yield _step(StepKind.UPDATE, kind.update_request(live, change.target), live)
        yield _read(StepKind.READ_BACK, live, change.target)


def _temporary_name_steps(temporary: TemporaryName) -> Iterator[Step]:
    """Yield the steps that rename the endpoint which has the name; none if it was renamed already."""
    live, fields = temporary.live, {"name": temporary.name}
    if live.name != temporary.name:
        yield _read(StepKind.VERIFY, live)
        yield _step(StepKind.SET_TEMPORARY_NAME, KINDS[live.kind].update_request(live, fields), live)
        yield _read(StepKind.READ_BACK_TEMPORARY_NAME, live, fields)


def _create_steps(change: Create | Replace, purpose: str) -> Iterator[Step]:
    expected = change.target if isinstance(change, Replace) else change.desired.fields
    yield _step(StepKind.CREATE, create_request(change), purpose=purpose)
    request = KINDS[change.kind].get_request(NEW_ID)
    yield _step(StepKind.READ_BACK, request, expected=expected, purpose=StepKind.READ_BACK + SHARED)


def _delete(change: Replace | Delete, purpose: str = "") -> Step:
    request = KINDS[change.kind].delete_requests(change.live.id)[0]
    return _step(StepKind.DELETE, request, change.live, purpose=purpose)


def _read(kind: StepKind, live: Live, expected: Fields | None = None) -> Step:
    request = KINDS[live.kind].get_request(live.id)
    return _step(kind, request, live, expected, purpose=kind.value + SHARED)


def _step(
    kind: StepKind,
    request: Request,
    live: Live | None = None,
    expected: Fields | None = None,
    *,
    purpose: str = "",
) -> Step:
    return Step(kind=kind, request=request, purpose=purpose or kind.value, live=live, expected=expected or {})


def stages(changes: Iterable[Change]) -> tuple[tuple[Change, ...], ...]:
    """Return groups of changes to perform one after the other; those of a group are independent.

    A kind comes after the kinds that it needs; it is deleted before them. New endpoints are created before
    old ones are deleted, so that a move keeps serving, unless a create needs an app name that a delete frees.
    A rotation stands in two groups, with a half in each.
    """
    by_kind: dict[str, list[Change]] = {}
    for change in sorted(changes, key=lambda change: change.name):
        if change.action is not Action.NO_OP:
            by_kind.setdefault(change.kind, []).append(change)
    parts = [_stages_of_kind(by_kind[kind]) for kind in in_order_of_needs(by_kind)]
    writes = [group for part in parts for group in part[:-1]]
    deletes = [part[-1] for part in reversed(parts)]
    return tuple(tuple(group) for group in (*writes, *deletes) if group)


def _stages_of_kind(pending: Sequence[Change]) -> Sequence[Sequence[Change]]:
    """Return the groups of one kind; the last one are the deletes."""
    wanted = {app_name(change) for change in pending if isinstance(change, Create | Replace)}
    local: list[Change] = []
    freeing: list[Change] = []
    writes: list[Change] = []
    deletes: list[Change] = []
    renamed = [change for change in pending if is_renamed(change)]
    for change in pending:
        if not has_steps(change) and not any(must_precede(other, change) for other in renamed):
            local.append(change)
        elif freed_app_name(change) in wanted:
            freeing.append(change)
        elif isinstance(change, Delete):
            deletes.append(change)
        elif isinstance(change, Replace) and change.is_rotation:
            writes.append(replace(change, half=Half.NEW))
            deletes.append(replace(change, half=Half.OLD))
        else:
            writes.append(change)
    return (local, freeing, *_by_names(writes), deletes)


def _by_names(writes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    """Yield groups of writes. One that takes a name comes after the rename that gives it up."""
    while holders := [change for change in writes if is_renamed(change)]:
        later = [change for change in writes if any(must_precede(other, change) for other in holders)]
        if not later or len(later) == len(writes):
            break
        yield [change for change in writes if change not in later]
        writes = later
    yield writes


def app_name(change: Create | Replace) -> str:
    """Return the app name of the new endpoint."""
    return change.app_name if isinstance(change, Replace) else change.desired.app_name


def freed_app_name(change: Change) -> str | None:
    """Return the app name that others may take after the change."""
    if not isinstance(change, Delete | Replace):
        return None
    released = change.live.fields.get("appName")
    return None if isinstance(change, Replace) and released == app_name(change) else released
