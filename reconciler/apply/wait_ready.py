"""Waiting until what was written also serves: one listing for all, and the reason of whoever is stuck."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from reconciler.apply.clock import Clock, pause
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.apply_events import ChangeServing, ChangeWaiting, Event, Outcome, Result
from reconciler.model.errors import ApiError, IncompleteListing, KeyRefused
from reconciler.model.exit_codes import Exit
from reconciler.model.plan import Adopt, Create, Replace, Scale, Update
from reconciler.model.problem import Problem
from reconciler.model.status import Phase, Readiness
from reconciler.novita.account import AccountReader


def wait_until_serving(
    results: Iterable[Result],
    reader: AccountReader,
    clock: Clock,
    emit: Callable[[Event], None],
    *,
    within: float,
    every: float,
    stop: threading.Event,
) -> tuple[Problem, ...]:
    """Poll the account every `every` seconds, for `within` seconds at most, until all that was done serves.

    Returns a problem for each endpoint that failed, is gone or does not serve yet.
    """
    waiting = {result.id: result for result in results if _can_serve(result) and result.id}
    told: dict[str, str] = {}
    problems: list[Problem] = []
    start = clock.now()
    while waiting:
        for object_id, found in _look(reader, tuple(waiting)).items():
            result = waiting[object_id]
            match found.phase:
                case Phase.READY:
                    del waiting[object_id]
                    emit(ChangeServing(change=result.change, seconds=clock.now() - start))
                case Phase.FAILED:
                    del waiting[object_id]
                    problems.append(_unready(result, f"does not serve: {found.reason}"))
                case Phase.WAITING if told.get(object_id) != found.reason:
                    told[object_id] = found.reason
                    emit(ChangeWaiting(change=result.change, why=found.reason))
        left = start + within - clock.now()
        if not waiting or left <= 0 or stop.is_set():
            break
        pause(clock, min(every, left), stop)
    return (*problems, *_late(waiting.values(), told, within, interrupted=stop.is_set()))


def _look(reader: AccountReader, ids: Iterable[str]) -> dict[str, Readiness]:
    """How each is now. An account that cannot be read is a reason to go on waiting, a refused key is not."""
    try:
        live = {one.id: one for one in reader.listing().endpoints}
        # a listing may lag behind, and only the endpoint itself can say that it is gone
        found = {object_id: live.get(object_id) or reader.get(object_id) for object_id in ids}
    except KeyRefused as error:
        return {object_id: Readiness(phase=Phase.FAILED, reason=error.problem.summary) for object_id in ids}
    except (ApiError, IncompleteListing) as error:
        return {object_id: Readiness(phase=Phase.WAITING, reason=error.problem.summary) for object_id in ids}
    gone = Readiness(phase=Phase.FAILED, reason="it is gone")
    return {object_id: ENDPOINT.readiness(one) if one else gone for object_id, one in found.items()}


def _can_serve(result: Result) -> bool:
    return result.outcome is Outcome.DONE and isinstance(
        result.change, Create | Update | Scale | Replace | Adopt
    )


def _late(
    results: Iterable[Result], told: dict[str, str], within: float, *, interrupted: bool
) -> Iterator[Problem]:
    how_long = "when the wait was interrupted" if interrupted else f"after {within:.0f} s"
    exit_code = Exit.INTERRUPTED if interrupted else Exit.INCOMPLETE
    for result in results:
        why = told.get(result.id or "", "unknown")
        yield replace(_unready(result, f"does not serve {how_long}: {why}"), exit_code=exit_code)


def _unready(result: Result, what: str) -> Problem:
    return Problem(
        code="not-serving",
        summary=f"`{result.change.name}` ({result.id}) was applied and {what}",
        hint="look at its workers in Novita Console; it may still come up by itself",
        address=result.change.address,
        exit_code=Exit.INCOMPLETE,
    )
