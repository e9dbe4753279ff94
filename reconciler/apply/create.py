"""The one call that must not happen twice.

    intent on disk -> request -> ID on disk -> read back

When the answer is lost, nothing is guessed: the listing is looked at until the settling time is over. One new
endpoint of that name as declared is ours. None means that nothing was made, and only then is the request
sent again. Anything else is left for the user, with the IDs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reconciler.apply.clock import Clock, attempts
from reconciler.inventory.session import Session
from reconciler.model.errors import (
    AnswerLost,
    ApiError,
    IncompleteListing,
    ReconcilerError,
    Refused,
    ServerError,
)
from reconciler.model.exit_codes import Exit
from reconciler.model.plan import Create, Replace
from reconciler.model.problem import Problem
from reconciler.model.request import Request
from reconciler.model.resource import Intent, Live, Tracked
from reconciler.model.values import Keyring
from reconciler.novita.account import AccountWriter
from reconciler.planning.pending_creates import newcomers, reads_as_sent, unresolved

SENDS = 3
"""How often one create is sent at most, each but the first after proof that nothing was made."""

TAKEN = "SERVERLESS_APP_NAME_IS_EXIST"
"""Novita's reason for an app name that another endpoint has."""

NAME_FREE_WITHIN = 30.0
"""Seconds that an app name may stay taken after its owner was deleted by us."""


class Unresolved(ReconcilerError):
    """A create of which nobody can say whether it happened."""

    exit_code = Exit.UNRESOLVED


def create(
    change: Create | Replace,
    request: Request,
    *,
    known_ids: tuple[str, ...],
    remote: AccountWriter,
    session: Session,
    clock: Clock,
    keyring: Keyring,
    settle_seconds: float,
    record: Tracked,
    name_was_ours: bool,
    deposed: Tracked | None,
    waiting: Callable[[str], None],
) -> str:
    """Create the endpoint once and record it; returns its ID.

    `known_ids` are the live IDs of that name from before, `record` is what will be recorded, without its ID;
    `name_was_ours` says that we have just freed its
    app name, `deposed` is the record of ours that had the name until now. Raises `Unresolved` when the
    outcome cannot be told, and whatever the client raises when Novita refused; then nothing was made.
    """
    desired = change.desired
    intent = Intent(
        name=desired.name,
        app_name=change.app_name if isinstance(change, Replace) else desired.app_name,
        known_ids=known_ids,
        applied=record.applied,
        prevent_destroy=desired.lifecycle.prevent_destroy,
        origin=desired.origin,
        renamed_from=record.renamed_from,
    )
    session.begin(intent)
    lost: ReconcilerError | None = None
    last: ReconcilerError | None = None
    for _ in range(SENDS):
        try:
            made = _send(remote, request, clock, waiting, name_was_ours=name_was_ours)
        except ReconcilerError as error:
            # An app name that is taken after an answer was lost may be taken by what that call made.
            is_taken = lost is not None and isinstance(error, Refused) and error.reason == TAKEN
            if not (is_taken or isinstance(error, AnswerLost | ServerError)):
                session.settle(desired.name)
                raise
            lost = lost or error
            last = error if last is None or _is_answer(error) else last
            what = error.problem.summary if _is_answer(error) else "the answer was lost"
            waiting(f"{what}; looking for it in the listing")
            found = _look(remote, clock, intent, keyring, settle_seconds, lost)
            if found is None and is_taken:
                raise Unresolved(_unknown(intent, lost, error)) from error
            if found is None:
                continue
            made = found.id
        old = change.tracked if isinstance(change, Replace) else None
        session.record(replace(record, id=made), replaces=old, deposed=deposed)
        return made
    session.settle(desired.name)
    assert last is not None
    raise Refused(_unmade(change, last))


def _is_answer(error: ReconcilerError) -> bool:
    return isinstance(error, ApiError) and error.status != 0


def _unmade(change: Create | Replace, last: ReconcilerError) -> Problem:
    """Nothing was made, however often it was sent; `last` is the last answer, if there was any."""
    how = f" times and made nothing: {last.problem.summary}"
    if not _is_answer(last):
        how = " times without an answer and made nothing"
    return Problem(
        code=last.problem.code if _is_answer(last) else "create-unanswered",
        summary=f"creating `{change.name}` was sent {SENDS}{how}",
        detail=last.problem.detail,
        hint="check Novita's status, then run `reconciler apply` again",
        address=change.address,
    )


def _send(
    remote: AccountWriter,
    request: Request,
    clock: Clock,
    waiting: Callable[[str], None],
    *,
    name_was_ours: bool,
) -> str:
    """Send the create; an app name that our own delete has yet to free is waited for."""
    refusal: ApiError | None = None
    for attempt in attempts(clock, within=NAME_FREE_WITHIN, first=1.0):
        try:
            return remote.create(request)
        except Refused as error:
            if not (name_was_ours and error.reason == TAKEN):
                raise
            refusal = error
            if attempt == 0:
                waiting("its app name is still taken by the one just deleted")
    assert refusal is not None
    raise refusal


def _look(
    remote: AccountWriter,
    clock: Clock,
    intent: Intent,
    keyring: Keyring,
    settle_seconds: float,
    lost: ReconcilerError,
) -> Live | None:
    """The endpoint that the lost create made; None when, after the settling time, there is none."""
    found: tuple[Live, ...] = ()
    for _ in attempts(clock, within=settle_seconds):
        try:
            listing = remote.listing()
        except (ApiError, IncompleteListing) as error:
            raise Unresolved(_unknown(intent, lost, error)) from error
        found = newcomers(intent, listing.endpoints)
        if len(found) == 1 and reads_as_sent(intent, found[0], keyring):
            return found[0]
    if found:
        raise Unresolved(unresolved(intent.name, found))
    return None


def _unknown(intent: Intent, lost: ReconcilerError, blind: ReconcilerError) -> Problem:
    return Problem(
        code="create-unresolved",
        summary=f"it is not known whether `{intent.name}` was created: its answer was lost, "
        "and looking for it told nothing",
        detail="\n".join(
            text for error in (lost, blind) for text in (error.problem.summary, error.problem.detail) if text
        ),
        hint="run `reconciler plan`; it looks again and says what it finds",
        exit_code=Exit.UNRESOLVED,
    )
