"""Waits until the applied endpoints serve. One listing serves all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, repeat
from types import MappingProxyType

from reconciler.apply.clock import Clock, pause
from reconciler.kinds.registry import KINDS
from reconciler.model import durations
from reconciler.model.apply_events import (
    ApplyEvent,
    ChangeResult,
    ChangeServing,
    ChangeWaiting,
    Outcome,
    WaitStarted,
)
from reconciler.model.errors import ApiError, IncompleteListing, KeyRefused
from reconciler.model.plan import Adopt, Change, Create, NoOp, Replace, Scale, Update
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.resource import Live
from reconciler.model.status import Phase, Readiness, Rollout
from reconciler.novita.account import AccountReader


def wait_until_serving(
    results: Iterable[ChangeResult],
    reader: AccountReader,
    clock: Clock,
    emit: Callable[[ApplyEvent], None],
    *,
    within: float,
    every: float,
    stop: threading.Event,
    former: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> tuple[Problem, ...]:
    """Poll the account, for at most `within` seconds, until all endpoints serve.

    The pauses grow up to `every` seconds. `former` are the IDs of workers from before an earlier change, by
    the address of an endpoint that is unchanged now.

    Return a problem for each endpoint that failed, is gone or does not serve yet.
    """
    pending = {result.id: result for result in results if _can_serve(result) and result.id}
    reasons: dict[str, str] = {}
    problems: list[Problem] = []
    start = clock.now()
    polls = chain(durations.SERVING_POLLS, repeat(every))
    if pending:
        emit(WaitStarted(total=len(pending)))
    while pending:
        for object_id, seen in _read_all(reader, tuple(pending.values()), former).items():
            result, waited = pending[object_id], clock.now() - start
            ready, rollout = seen
            is_stale = not rollout.has_begun and waited >= durations.ROLLOUT_BEGIN
            if ready.phase is Phase.READY and not rollout.is_done and not is_stale:
                ready = Readiness(phase=Phase.WAITING, reason=rollout.reason)
            match ready.phase:
                case Phase.READY:
                    del pending[object_id]
                    if is_stale:
                        problems.append(_stale(result))
                    emit(ChangeServing(change=result.change, seconds=waited, idle=ready.reason))
                case Phase.FAILED:
                    del pending[object_id]
                    problems.append(_unready(result, f"does not serve: {ready.reason}"))
                case Phase.WAITING if reasons.get(object_id) != ready.reason:
                    reasons[object_id] = ready.reason
                    emit(ChangeWaiting(change=result.change, why=ready.reason))
        left = start + within - clock.now()
        if not pending or left <= 0 or stop.is_set():
            break
        pause(clock, min(next(polls), every, left), stop)
    return (*problems, *_timeouts(pending.values(), reasons, within, interrupted=stop.is_set()))


def _read_all(
    reader: AccountReader, results: Iterable[ChangeResult], former: Mapping[str, Collection[str]]
) -> dict[str, tuple[Readiness, Rollout]]:
    """Return the readiness and the rollout of each resource by its ID; each kind is read by itself."""
    by_kind: dict[str, dict[str, Change]] = {}
    for result in results:
        by_kind.setdefault(result.change.kind, {})[result.id or ""] = result.change
    return {
        object_id: seen
        for kind, changes in by_kind.items()
        for object_id, seen in _read_kind(reader.of(kind), changes, former).items()
    }


def _read_kind(
    reader: AccountReader, changes: Mapping[str, Change], former: Mapping[str, Collection[str]]
) -> dict[str, tuple[Readiness, Rollout]]:
    """Return the same for resources of one kind, by ID.

    A failed read means to go on waiting, a refused key does not.
    """
    try:
        listed = {live.id: live for live in reader.listing().endpoints}
        # A listing may lag behind; only a read of the endpoint itself shows that it is gone.
        endpoints = {object_id: listed.get(object_id) or reader.get(object_id) for object_id in changes}
    except KeyRefused as error:
        refused = Readiness(phase=Phase.FAILED, reason=error.problem.summary)
        return dict.fromkeys(changes, (refused, Rollout()))
    except (ApiError, IncompleteListing) as error:
        unread = Readiness(phase=Phase.WAITING, reason=error.problem.summary)
        return dict.fromkeys(changes, (unread, Rollout()))
    gone = (Readiness(phase=Phase.FAILED, reason="it is gone"), Rollout())
    return {
        object_id: (KINDS[live.kind].readiness(live), _rollout(changes[object_id], live, former))
        if live
        else gone
        for object_id, live in endpoints.items()
    }


def _rollout(change: Change, live: Live, former: Mapping[str, Collection[str]]) -> Rollout:
    """Return how far new workers have replaced those from before the change. A scale needs no new ones."""
    kind = KINDS[live.kind]
    if isinstance(change, NoOp):
        return kind.rollout(live, former.get(change.address, ()), ())
    if isinstance(change, Update) or (isinstance(change, Adopt) and change.fields):
        return kind.rollout(live, kind.worker_ids(change.live), [field.path for field in change.fields])
    return Rollout()


def _can_serve(result: ChangeResult) -> bool:
    return result.outcome is Outcome.DONE and isinstance(
        result.change, Create | Update | Scale | Replace | Adopt | NoOp
    )


def _timeouts(
    results: Iterable[ChangeResult], reasons: dict[str, str], within: float, *, interrupted: bool
) -> Iterator[Problem]:
    how_long = "when the wait was interrupted" if interrupted else f"after {within:.0f} s"
    exit_code = ExitCode.INTERRUPTED if interrupted else ExitCode.INCOMPLETE
    for result in results:
        why = reasons.get(result.id or "", "unknown")
        yield replace(_unready(result, f"does not serve {how_long}: {why}"), exit_code=exit_code)


def _unready(result: ChangeResult, what: str) -> Problem:
    return Problem(
        code="not-serving",
        summary=f"`{result.change.name}` ({result.id}) was applied and {what}",
        hint="check its workers in Novita Console; it may still come up by itself",
        address=result.change.address,
        exit_code=ExitCode.INCOMPLETE,
    )


def _stale(result: ChangeResult) -> Problem:
    return Problem(
        code="no-new-worker",
        severity=Severity.WARNING,
        summary=f"`{result.change.name}` ({result.id}) was applied, and no new worker has started since",
        detail="Workers from before the change serve it, and answer its probe.",
        hint="check its workers in Novita Console",
        address=result.change.address,
    )
