"""The status of a live endpoint: readiness, counts, conditions, workers. Missing values are tolerated.

Novita says                                          status
serving, running                                     Running
stopped                                              Stopped
failed, error                                        Failed
terminating, deleting                                Terminating
anything else with minNum 0 and a URL                Running: it waits for a request
updating                                             Updating
initializing, pending, creating, anything else       Pending
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from reconciler.kinds.answer_reader import moment, text
from reconciler.kinds.endpoint.workers import explanation_of, reasons, workers_of
from reconciler.model.resource import Live
from reconciler.model.status import (
    Condition,
    ConditionType,
    EndpointInfo,
    Managed,
    Phase,
    Readiness,
    Status,
    Worker,
)

SERVING: Final = frozenset({"serving", "running"})
BROKEN: Final = frozenset({"failed", "error"})


IDLE: Final = "idle: nothing has started yet"
"""Why an endpoint that is scaled to zero is ready without a worker: the first request starts one."""


def readiness(live: Live) -> Readiness:
    """Return whether a worker serves. With `minNum` 0 an endpoint that takes requests is ready without one.

    A worker that failed to start is reported and does not make the endpoint fail: Novita starts another.
    """
    if live.state in BROKEN:
        return Readiness(phase=Phase.FAILED, reason=explanation_of(live.raw.get("state")) or live.state)
    if live.is_terminating:
        return Readiness(phase=Phase.FAILED, reason=f"it is {live.state}")
    workers = workers_of(live)
    if not _is_available(live):
        return Readiness(phase=Phase.WAITING, reason=reasons(workers) or live.state or "unknown")
    if any(worker.is_ready for worker in workers):
        return Readiness(phase=Phase.READY)
    if _is_scaled_to_zero(live):
        return Readiness(phase=Phase.READY, reason=IDLE)
    return Readiness(phase=Phase.WAITING, reason=reasons(workers) or "no worker is ready yet")


def _is_available(live: Live) -> bool:
    """Return True if the endpoint takes requests, as far as its own state tells."""
    if live.state in BROKEN or live.state == "stopped" or live.is_terminating:
        return False
    return live.state in SERVING or (_is_scaled_to_zero(live) and live.url != "")


def _is_scaled_to_zero(live: Live) -> bool:
    return bool(live.fields.get("workerConfig", {}).get("minNum") == 0)


def endpoint_info(live: Live, managed: Managed | None = None) -> EndpointInfo:
    """Return the endpoint as status commands show it."""
    workers = workers_of(live)
    counted = [worker for worker in workers if worker.is_capacity]
    failed = [worker for worker in workers if worker.has_failed]
    ready = sum(worker.is_ready for worker in counted)
    fields, config = live.fields, live.fields.get("workerConfig", {})
    status, wanted = status_of(live), config.get("minNum", 0)
    cannot_start = bool(failed) and len(counted) < wanted
    return EndpointInfo(
        name=live.name,
        id=live.id,
        status=status,
        state=live.state,
        message=_message(
            live, status, [*counted, *(worker for worker in failed if worker.message or cannot_start)]
        ),
        min_replicas=wanted,
        max_replicas=config.get("maxNum", 0),
        total_replicas=len(counted),
        ready_replicas=ready,
        available_replicas=sum(worker.state == "running" for worker in counted),
        conditions=_conditions(
            live.state, status, is_up=ready > 0, waiting=ready < max(wanted, len(counted)), stuck=cannot_start
        ),
        workers=workers,
        image=str(fields.get("image", {}).get("image", "")),
        url=live.url,
        app_name=str(fields.get("appName", "")),
        product=", ".join(str(product["id"]) for product in fields.get("products", ())),
        region=str(fields.get("clusterID", "")),
        created_at=moment(live.raw.get("createdAt")),
        managed=managed,
        log=text(live.raw.get("log")) or "",
    )


def status_of(live: Live) -> Status:
    """Return the status by the table above."""
    if live.is_terminating:
        return Status.TERMINATING
    if live.state == "stopped":
        return Status.STOPPED
    if live.state in BROKEN:
        return Status.FAILED
    if _is_available(live):
        return Status.RUNNING
    return Status.UPDATING if live.state == "updating" else Status.PENDING


@lru_cache(maxsize=256)
def _conditions(
    state: str, status: Status, *, is_up: bool, waiting: bool, stuck: bool
) -> tuple[Condition, ...]:
    """Return the conditions, which most endpoints share.

    `is_up`: a worker is ready; `waiting`: a wanted or live one is not; `stuck`: it cannot start.
    """
    on_its_way = status in (Status.PENDING, Status.UPDATING)
    starting = status is Status.RUNNING and waiting
    stuck = stuck and (on_its_way or status is Status.RUNNING)
    return (
        Condition(
            type=ConditionType.AVAILABLE,
            status=status is Status.RUNNING or (on_its_way and is_up),
            reason=status.value,
        ),
        Condition(
            type=ConditionType.PROGRESSING,
            status=on_its_way or starting,
            reason="WorkersStarting" if starting else status.value,
        ),
        Condition(
            type=ConditionType.FAILED,
            status=status is Status.FAILED or stuck,
            reason="WorkersFailed" if stuck else state if status is Status.FAILED else status.value,
        ),
    )


def _message(live: Live, status: Status, workers: Sequence[Worker]) -> str:
    """Return Novita's explanation, else why workers do not serve."""
    if explanation := explanation_of(live.raw.get("state")):
        return explanation
    return reasons(workers) if status in (Status.RUNNING, Status.PENDING, Status.UPDATING) else ""
