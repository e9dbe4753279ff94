"""What people see of a live endpoint: status, counts, conditions, workers. Tolerates whatever is missing.

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

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.kinds.endpoint.answer_reader import number, text
from reconciler.kinds.endpoint.readiness import (
    GONE_WORKERS,
    NOT_COUNTED,
    called,
    readiness,
    state_of,
    told,
    trouble,
    workers_of,
)
from reconciler.model.resource import Live
from reconciler.model.status import Condition, ConditionType, EndpointInfo, Managed, Phase, Status, Worker

LONGEST_MESSAGE: Final = 200
"""Characters; a hundred workers may each say something else."""


def app_of(live: Live, managed: Managed | None = None) -> EndpointInfo:
    """The endpoint as it is shown."""
    said = [worker for worker in workers_of(live) if state_of(worker) not in GONE_WORKERS]
    counted = [worker for worker in said if state_of(worker) not in NOT_COUNTED]
    running = [worker for worker in counted if state_of(worker) == "running"]
    ready = sum(bool(worker.get("healthy")) for worker in running)
    fields, config = live.fields, live.fields.get("workerConfig", {})
    status, wanted = status_of(live), config.get("minNum", 0)
    cannot_start = len(said) > len(counted) and len(counted) < wanted
    return EndpointInfo(
        name=live.name,
        id=live.id,
        status=status,
        state=live.state,
        message=_message(live, status, said if cannot_start else counted),
        min_replicas=wanted,
        max_replicas=config.get("maxNum", 0),
        total_replicas=len(counted),
        ready_replicas=ready,
        available_replicas=len(running),
        conditions=tuple(
            _conditions(
                live, status, ready=ready, waiting=ready < max(wanted, len(counted)), stuck=cannot_start
            )
        ),
        workers=tuple(_worker(worker) for worker in said),
        image=str(fields.get("image", {}).get("image", "")),
        url=live.url,
        app_name=str(fields.get("appName", "")),
        product=", ".join(str(product["id"]) for product in fields.get("products", ())),
        region=str(fields.get("clusterID", "")),
        created_at=_moment(live.raw.get("createdAt")),
        managed=managed,
    )


def status_of(live: Live) -> Status:
    """The table above."""
    if live.is_terminating:
        return Status.TERMINATING
    if live.state == "stopped":
        return Status.STOPPED
    phase = readiness(live).phase
    if phase is Phase.READY:
        return Status.RUNNING
    if phase is Phase.FAILED:
        return Status.FAILED
    return Status.UPDATING if live.state == "updating" else Status.PENDING


def _conditions(live: Live, status: Status, *, ready: int, waiting: bool, stuck: bool) -> Iterator[Condition]:
    """`waiting`: some worker that is wanted or there is not ready; `stuck`: and cannot even be started."""
    on_its_way = status in (Status.PENDING, Status.UPDATING)
    yield Condition(
        type=ConditionType.AVAILABLE,
        status=status is Status.RUNNING or (on_its_way and ready > 0),
        reason=status.value,
    )
    starting = status is Status.RUNNING and waiting
    yield Condition(
        type=ConditionType.PROGRESSING,
        status=on_its_way or starting,
        reason="WorkersStarting" if starting else status.value,
    )
    stuck = stuck and (on_its_way or status is Status.RUNNING)
    yield Condition(
        type=ConditionType.FAILED,
        status=status is Status.FAILED or stuck,
        reason="WorkersFailed" if stuck else live.state if status is Status.FAILED else status.value,
    )


def _message(live: Live, status: Status, workers: Sequence[Mapping[str, Any]]) -> str:
    """Novita's word on the endpoint, else what keeps its workers from serving; the like in one clause."""
    if said := told(live.raw.get("state")):
        return said
    if status not in (Status.RUNNING, Status.PENDING, Status.UPDATING):
        return ""
    alike: dict[str, list[str]] = {}
    for worker in workers:
        if why := trouble(worker):
            alike.setdefault(why, []).append(called(worker))
    text = "; ".join(
        f"{names[0] if len(names) == 1 else f'{len(names)} workers'} {why}" for why, names in alike.items()
    )
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}..."


def _worker(worker: Mapping[str, Any]) -> Worker:
    return Worker(
        id=text(worker.get("id")) or "?",
        state=state_of(worker) or "unknown",
        healthy=bool(worker.get("healthy")),
        message=told(worker.get("state")),
    )


def _moment(value: object) -> datetime | None:
    """A time from epoch seconds, which Novita writes as a string of digits; None from anything else."""
    seconds = number(value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds and seconds > 0 else None
    except (OverflowError, OSError, ValueError):
        return None
