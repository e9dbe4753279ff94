"""The workers of a live endpoint. Novita's words for states are compared in lower case.

words                                     a worker in such a state
removed, deleted, terminating, stopping   is gone or going, and is not shown; so is one with `deletedAt`
failed, error                             has failed
exited, stopped, unscheduling             has ended; with a reason it counts as failed
running                                   is ready if it is healthy
anything else                             is on its way

A worker that drains finishes its requests and gets no more. It is shown, and it is no capacity.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from reconciler.kinds.answer_reader import is_unset_moment, moment, text
from reconciler.model.resource import Live
from reconciler.model.status import Rollout, Worker
from reconciler.model.values import Path

GONE: Final = frozenset({"removed", "deleted", "terminating", "stopping"})
FAILED: Final = frozenset({"failed", "error"})
ENDED: Final = frozenset({"exited", "stopped", "unscheduling"})
BILLED: Final = frozenset({"running", "starting"})
"""Novita's documents name the first one, its console both."""
NO_ID: Final = "?"
RUNNING_PARTS: Final = frozenset({"image", "ports", "envs", "healthy", "volumeMounts", "clusterID"})
"""Fields whose change replaces the workers. A change of the others reaches those that run."""
LONGEST_MESSAGE: Final = 200
"""Characters. A hundred workers may have a hundred explanations."""


def workers_of(live: Live) -> tuple[Worker, ...]:
    """Return the workers that are neither gone nor going, in Novita's order."""
    return tuple(
        _worker(worker)
        for worker in _listed(live)
        if _state(worker) not in GONE and not moment(worker.get("deletedAt"))
    )


def billed_workers(live: Live) -> tuple[Worker, ...]:
    """Return the workers that are billed now.

    Novita says so by the time since when; an empty one means not yet. Where it does not tell any, or one
    that cannot be read, workers count that run or start.
    """
    tells = {text(worker.get("id")) or NO_ID for worker in _listed(live) if _tells_billing(worker)}
    return tuple(
        worker
        for worker in workers_of(live)
        if not worker.has_ended and (worker.created_at if worker.id in tells else worker.state in BILLED)
    )


def _tells_billing(worker: Mapping[str, Any]) -> bool:
    value = worker.get("createdAt")
    return "createdAt" in worker and (moment(value) is not None or is_unset_moment(value))


def _listed(live: Live) -> Iterator[Mapping[str, Any]]:
    """Yield the workers of the answer, whatever else stands in their place."""
    workers = live.raw.get("workers")
    yield from (one for one in workers if isinstance(one, dict)) if isinstance(workers, list) else ()


def _worker(worker: Mapping[str, Any]) -> Worker:
    state, message = _state(worker), explanation_of(worker.get("state"))
    return Worker(
        id=text(worker.get("id")) or NO_ID,
        state=state or "unknown",
        healthy=_is_true(worker.get("healthy")),
        message=message,
        is_draining=_is_true(worker.get("drain")),
        has_ended=state in FAILED or state in ENDED,
        has_failed=state in FAILED or (state in ENDED and message != ""),
        created_at=moment(worker.get("createdAt")),
        ready_at=moment(worker.get("readyAt")),
        log=text(worker.get("log")) or "",
    )


def _state(worker: Mapping[str, Any]) -> str:
    state = worker.get("state")
    return (text(state.get("state") if isinstance(state, dict) else state) or "").lower()


def _is_true(value: object) -> bool:
    return value.strip().lower() == "true" if isinstance(value, str) else bool(value)


def explanation_of(state: object) -> str:
    """Return Novita's own explanation of a state, cut at 200 characters."""
    if not isinstance(state, dict) or not (state.get("error") or state.get("message")):
        return ""
    words = (word for key in ("error", "message") if state.get(key) and (word := text(state[key])))
    return " - ".join(dict.fromkeys(words))[:LONGEST_MESSAGE]


def why_unready(worker: Worker) -> str:
    """Return why a worker does not serve, to follow its name; "" if it serves or drains."""
    if worker.is_ready or worker.is_draining:
        return ""
    words = {"running": "running, but not healthy yet", "unknown": "without a state"}
    why = words.get(worker.state, worker.state)
    return why + (f": {worker.message}" if worker.message else "")


def reasons(workers: Iterable[Worker]) -> str:
    """Return why workers do not serve, failed ones first, with equal reasons in one clause."""
    alike: dict[str, list[str]] = {}
    for worker in sorted(workers, key=lambda worker: not worker.has_failed):
        if why := why_unready(worker):
            alike.setdefault(why, []).append(name_of(worker))
    text = "; ".join(
        f"{names[0] if len(names) == 1 else f'{len(names)} workers'} {why}" for why, names in alike.items()
    )
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}..."


def name_of(worker: Worker) -> str:
    """Return how messages call a worker."""
    return f"worker {worker.id}"


def surplus(live: Live, most: int) -> tuple[str, ...]:
    """Return the IDs of the workers beyond `most` (count): those not ready first, then the youngest.

    Of workers whose age is not known, the last one of Novita's list counts as the youngest.
    """
    counted = [worker for worker in workers_of(live) if worker.is_capacity]
    ages = [worker.created_at.timestamp() if worker.created_at else 0.0 for worker in counted]
    order = sorted(range(len(counted)), key=lambda at: (counted[at].is_ready, -ages[at], -at))
    return tuple(counted[at].id for at in order[: max(0, len(counted) - most)])


def worker_ids(live: Live) -> tuple[str, ...]:
    """Return the known IDs of the workers."""
    return tuple(worker.id for worker in workers_of(live) if worker.id != NO_ID)


def rollout(live: Live, former: Collection[str], paths: Collection[Path]) -> Rollout:
    """Return how far new workers have replaced those from before a change of these wire paths; none are all.

    `former` are the IDs of the workers from before the change. They serve until the new ones do, for about a
    minute.
    """
    if not former or (paths and all(path[0] not in RUNNING_PARTS for path in paths)):
        return Rollout()
    workers = workers_of(live)
    if not any(worker.id in former and worker.is_capacity for worker in workers):
        return Rollout()
    new = [worker for worker in workers if worker.id not in former]
    if not new:
        return Rollout(
            has_begun=False, is_done=False, reason="no new worker has started yet, those from before serve"
        )
    return Rollout(is_done=False, reason=reasons(new) or "workers from before the change still serve")
