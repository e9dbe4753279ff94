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

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.kinds.endpoint.answer_reader import number, text
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
GONE_WORKERS: Final = frozenset({"removed", "deleted", "terminating"})
"""Tombstones, which listings keep."""
NOT_COUNTED: Final = GONE_WORKERS | {"failed"}
LONGEST_MESSAGE: Final = 200
"""Characters. A hundred workers may have a hundred explanations."""


def readiness(live: Live) -> Readiness:
    """Return ready for an endpoint that serves, and with `minNum` 0 for one in any state without a fault.

    A worker that failed to start is reported and does not make the endpoint fail: Novita starts another.
    """
    if live.state in BROKEN:
        return Readiness(phase=Phase.FAILED, reason=explanation_of(live.raw.get("state")) or live.state)
    if live.state in SERVING:
        return Readiness(phase=Phase.READY)
    if live.is_terminating:
        return Readiness(phase=Phase.FAILED, reason=f"it is {live.state}")
    if live.fields.get("workerConfig", {}).get("minNum") == 0 and live.url:
        return Readiness(phase=Phase.READY)
    stuck = [f"{name_of(worker)} {why}" for worker in workers_of(live) if (why := why_unready(worker))]
    return Readiness(phase=Phase.WAITING, reason="; ".join(dict.fromkeys(stuck)) or live.state or "unknown")


def surplus(live: Live, most: int) -> tuple[str, ...]:
    """Return the IDs of the workers beyond `most` (count): those not ready first, then the youngest.

    No answer tells the age of a worker; Novita lists them in the order in which they were started.
    """
    counted = [worker for worker in workers_of(live) if state_of(worker) not in NOT_COUNTED]
    counted.reverse()
    dispensable = sorted(counted, key=_is_ready)[: max(0, len(counted) - most)]
    return tuple(str(worker.get("id", "")) for worker in dispensable)


def _is_ready(worker: Mapping[str, Any]) -> bool:
    return state_of(worker) == "running" and bool(worker.get("healthy"))


def workers_of(live: Live) -> list[Mapping[str, Any]]:
    """Return the workers as Novita answers them, tombstones included."""
    workers = live.raw.get("workers")
    return [worker for worker in workers if isinstance(worker, Mapping)] if isinstance(workers, list) else []


def why_unready(worker: Mapping[str, Any]) -> str:
    """Return why a worker does not serve, to follow its name; "" if it serves or is gone."""
    name = state_of(worker)
    if name in GONE_WORKERS or (name == "running" and worker.get("healthy")):
        return ""
    why = explanation_of(worker.get("state"))
    unhealthy = "running, but not healthy yet" if name == "running" else name or "without a state"
    return unhealthy + (f": {why}" if why else "")


def name_of(worker: Mapping[str, Any]) -> str:
    """Return how messages call a worker."""
    return f"worker {text(worker.get('id')) or '?'}"


def state_of(worker: Mapping[str, Any]) -> str:
    """Return Novita's word for the state of a worker; "" if there is none."""
    state = worker.get("state")
    return text(state.get("state") if isinstance(state, Mapping) else state) or ""


def explanation_of(state: object) -> str:
    """Return Novita's own explanation of a state, cut at 200 characters."""
    if not isinstance(state, Mapping):
        return ""
    words = (word for key in ("error", "message") if state.get(key) and (word := text(state[key])))
    return " - ".join(dict.fromkeys(words))[:200]


def endpoint_info(live: Live, managed: Managed | None = None) -> EndpointInfo:
    """Return the endpoint as status commands show it."""
    reported = [worker for worker in workers_of(live) if state_of(worker) not in GONE_WORKERS]
    counted = [worker for worker in reported if state_of(worker) not in NOT_COUNTED]
    running = [worker for worker in counted if state_of(worker) == "running"]
    ready = sum(bool(worker.get("healthy")) for worker in running)
    fields, config = live.fields, live.fields.get("workerConfig", {})
    status, wanted = status_of(live), config.get("minNum", 0)
    cannot_start = len(reported) > len(counted) and len(counted) < wanted
    return EndpointInfo(
        name=live.name,
        id=live.id,
        status=status,
        state=live.state,
        message=_message(live, status, reported if cannot_start else counted),
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
        workers=tuple(_worker(worker) for worker in reported),
        image=str(fields.get("image", {}).get("image", "")),
        url=live.url,
        app_name=str(fields.get("appName", "")),
        product=", ".join(str(product["id"]) for product in fields.get("products", ())),
        region=str(fields.get("clusterID", "")),
        created_at=_moment(live.raw.get("createdAt")),
        managed=managed,
    )


def status_of(live: Live) -> Status:
    """Return the status by the table above."""
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
    """Yield the conditions. `waiting`: a wanted or live worker is not ready; `stuck`: it cannot start."""
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
    """Return Novita's explanation, else why workers do not serve, with equal reasons in one clause."""
    if explanation := explanation_of(live.raw.get("state")):
        return explanation
    if status not in (Status.RUNNING, Status.PENDING, Status.UPDATING):
        return ""
    alike: dict[str, list[str]] = {}
    for worker in workers:
        if why := why_unready(worker):
            alike.setdefault(why, []).append(name_of(worker))
    text = "; ".join(
        f"{names[0] if len(names) == 1 else f'{len(names)} workers'} {why}" for why, names in alike.items()
    )
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}..."


def _worker(worker: Mapping[str, Any]) -> Worker:
    return Worker(
        id=text(worker.get("id")) or "?",
        state=state_of(worker) or "unknown",
        healthy=bool(worker.get("healthy")),
        message=explanation_of(worker.get("state")),
    )


def _moment(value: object) -> datetime | None:
    """Return a time from epoch seconds, which Novita writes as digits; None from anything else."""
    seconds = number(value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds and seconds > 0 else None
    except (OverflowError, OSError, ValueError):
        return None
