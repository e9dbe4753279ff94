"""Sends a create so that it makes one endpoint and never two.

    intent on disk -> request -> ID on disk -> read back

If the answer is lost, the account is listed until the settling time is over. One new endpoint with the name
and fields of the intent is the created one. If there is none, nothing was made, and the request is sent
again. In every other case the create stays unresolved, and the user gets the IDs.

A kind whose answers may lack the ID is listed before the request as well, and after an answer without an ID
until the new one appears. It was made, so the request is not sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reconciler.apply.clock import Clock, poll
from reconciler.inventory.session import Session
from reconciler.kinds.registry import KINDS
from reconciler.model import durations
from reconciler.model.errors import (
    AnswerLost,
    ApiError,
    IncompleteListing,
    ReconcilerError,
    Refused,
    ServerError,
)
from reconciler.model.plan import Create, Replace
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.request import Request
from reconciler.model.resource import Intent, Live, Tracked, address
from reconciler.model.secrets import Keyring
from reconciler.novita.account import AccountWriter
from reconciler.planning.pending_creates import matches_intent, new_endpoints, unresolved

MAX_SENDS = 3
"""Times that one create is sent. It is sent again only after proof that nothing was made."""

APP_NAME_TAKEN = "SERVERLESS_APP_NAME_IS_EXIST"
"""Novita's reason for an app name that another endpoint has."""


class UnresolvedCreate(ReconcilerError):
    """A create whose outcome is unknown."""

    exit_code = ExitCode.UNRESOLVED


def create(
    change: Create | Replace,
    request: Request,
    *,
    known_ids: tuple[str, ...],
    account: AccountWriter,
    session: Session,
    clock: Clock,
    keyring: Keyring,
    settle_seconds: float,
    record: Tracked,
    is_name_freed: bool,
    deposed: Tracked | None,
    on_wait: Callable[[str], None],
) -> str:
    """Create the endpoint once, record it and return its ID.

    `known_ids` are the live IDs of that name when the plan was made. `record` is the record to write, still
    without an ID. With `is_name_freed` this run deletes the endpoint that had the app name. `deposed` is the
    record of the endpoint that had the name before. Raise `UnresolvedCreate` if the outcome is unknown, and
    the client's error if Novita refused; then nothing was made.
    """
    desired = change.desired
    kind = KINDS[desired.kind]
    if kind.may_omit_id:
        earlier = (live.id for live in account.listing().endpoints if live.name == desired.name)
        known_ids = tuple(dict.fromkeys((*known_ids, *earlier)))
    intent = Intent(
        name=desired.name,
        app_name=change.app_name if isinstance(change, Replace) else desired.app_name,
        known_ids=known_ids,
        applied=record.applied,
        prevent_destroy=desired.lifecycle.prevent_destroy,
        origin=desired.origin,
        renamed_from=record.renamed_from,
        kind=desired.kind,
    )
    session.open_intent(intent)
    first_lost: ReconcilerError | None = None
    last: ReconcilerError | None = None
    for _ in range(MAX_SENDS):
        try:
            sent_id = _send(account, request, clock, on_wait, is_name_freed=is_name_freed)
        except ReconcilerError as error:
            # An app name that is taken after a lost answer may belong to what that call made.
            is_taken = (
                first_lost is not None and isinstance(error, Refused) and error.reason == APP_NAME_TAKEN
            )
            if not (is_taken or isinstance(error, AnswerLost | ServerError)):
                session.close_intent(desired.name, desired.kind)
                raise
            first_lost = first_lost or error
            last = error if last is None or _is_answer(error) else last
            what = error.problem.summary if _is_answer(error) else "the answer was lost"
            on_wait(f"{what}; looking for it in the listing")
            created = _find_created(account, clock, intent, keyring, settle_seconds, first_lost)
            if created is None and is_taken:
                raise UnresolvedCreate(_unknown_outcome(intent, first_lost, error)) from error
            if created is None:
                continue
            object_id = created.id
        else:
            object_id = sent_id or _id_from_listing(account, clock, intent, keyring, settle_seconds)
        old = change.tracked if isinstance(change, Replace) else None
        session.record(replace(record, id=object_id), replaces=old, deposed=deposed)
        return object_id
    session.close_intent(desired.name, desired.kind)
    assert last is not None
    raise Refused(_never_created(change, last))


def _is_answer(error: ReconcilerError) -> bool:
    return isinstance(error, ApiError) and error.status != 0


def _never_created(change: Create | Replace, last: ReconcilerError) -> Problem:
    """Return the problem of a create that made nothing. `last` is the last answer, or else the last error."""
    how = f" times and made nothing: {last.problem.summary}"
    if not _is_answer(last):
        how = " times without an answer and made nothing"
    return Problem(
        code=last.problem.code if _is_answer(last) else "create-unanswered",
        summary=f"creating `{change.name}` was sent {MAX_SENDS}{how}",
        detail=last.problem.detail,
        hint="check Novita's status, then run `reconciler apply` again",
        address=change.address,
    )


def _send(
    account: AccountWriter,
    request: Request,
    clock: Clock,
    on_wait: Callable[[str], None],
    *,
    is_name_freed: bool,
) -> str | None:
    """Send the create and return the ID, None if the answer holds none.

    Wait for the app name if this run has just deleted the endpoint that had it.
    """
    refusal: ApiError | None = None
    for attempt in poll(
        clock,
        within=durations.NAME_RELEASE_TIMEOUT,
        first=durations.FIRST_NAME_POLL,
        longest=durations.MAX_NAME_POLL,
    ):
        try:
            return account.create(request)
        except Refused as error:
            if not (is_name_freed and error.reason == APP_NAME_TAKEN):
                raise
            refusal = error
            if attempt == 0:
                on_wait("its app name is still taken by the one just deleted")
    assert refusal is not None
    raise refusal


def _find_created(
    account: AccountWriter,
    clock: Clock,
    intent: Intent,
    keyring: Keyring,
    settle_seconds: float,
    lost: ReconcilerError | None = None,
) -> Live | None:
    """Return the endpoint that a create made, or None if there is none after the settling time.

    `lost` is the error of a create without an answer.
    """
    candidates: tuple[Live, ...] = ()
    for _ in poll(
        clock,
        within=settle_seconds,
        first=durations.FIRST_SETTLING_POLL,
        longest=durations.MAX_SETTLING_POLL,
    ):
        try:
            listing = account.listing()
        except (ApiError, IncompleteListing) as error:
            raise UnresolvedCreate(_unknown_outcome(intent, lost, error)) from error
        candidates = new_endpoints(intent, listing.endpoints)
        if len(candidates) == 1 and matches_intent(intent, candidates[0], keyring):
            return candidates[0]
        if len(candidates) > 1:
            break  # to wait does not tell them apart
    if candidates:
        raise UnresolvedCreate(unresolved(intent.name, candidates))
    return None


def _id_from_listing(
    account: AccountWriter, clock: Clock, intent: Intent, keyring: Keyring, settle_seconds: float
) -> str:
    """Return the ID of what a create made whose answer does not say. The intent stays open without it."""
    within = max(settle_seconds, durations.VISIBLE_TIMEOUT)
    created = _find_created(account, clock, intent, keyring, within)
    if created is None:
        raise UnresolvedCreate(_not_listed_yet(intent))
    return created.id


def _not_listed_yet(intent: Intent) -> Problem:
    return Problem(
        code="create-unresolved",
        summary=f"`{intent.name}` was created, and the listing does not show it yet",
        detail="Novita does not tell the ID of a new one in its answer.",
        hint="run `reconciler apply` again, which lists the account first",
        address=address(intent.name, intent.kind),
        exit_code=ExitCode.UNRESOLVED,
    )


def _unknown_outcome(intent: Intent, lost: ReconcilerError | None, unlisted: ReconcilerError) -> Problem:
    what = "its answer was lost" if lost else "its answer does not tell the ID"
    return Problem(
        code="create-unresolved",
        summary=f"it is not known whether `{intent.name}` was created: {what}, "
        "and the listing does not show it",
        detail="\n".join(
            text
            for error in filter(None, (lost, unlisted))
            for text in (error.problem.summary, error.problem.detail)
            if text
        ),
        hint="run `reconciler plan`, which lists the account again",
        exit_code=ExitCode.UNRESOLVED,
    )
