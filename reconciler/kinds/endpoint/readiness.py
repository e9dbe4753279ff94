"""Whether an endpoint serves, is getting there, or is stuck: a pure function of what was read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.kinds.endpoint.answer_reader import text
from reconciler.model.resource import Live
from reconciler.model.status import Phase, Readiness

SERVING: Final = frozenset({"serving", "running"})
BROKEN: Final = frozenset({"failed", "error"})
GONE_WORKERS: Final = frozenset({"removed", "deleted", "terminating"})
"""Tombstones, which listings keep."""
NOT_COUNTED: Final = GONE_WORKERS | {"failed"}


def readiness(live: Live) -> Readiness:
    """Serving, or with `minNum` 0 any state without a fault; a worker is never waited for then.

    A worker that failed to start is a reason to tell and not to give up on: Novita starts another.
    """
    if live.state in BROKEN:
        return Readiness(phase=Phase.FAILED, reason=told(live.raw.get("state")) or live.state)
    if live.state in SERVING:
        return Readiness(phase=Phase.READY)
    if live.is_terminating:
        return Readiness(phase=Phase.FAILED, reason=f"it is {live.state}")
    if live.fields.get("workerConfig", {}).get("minNum") == 0 and live.url:
        return Readiness(phase=Phase.READY)
    stuck = [f"{called(worker)} {why}" for worker in workers_of(live) if (why := trouble(worker))]
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
    """The workers as Novita answers them, tombstones included."""
    workers = live.raw.get("workers")
    return [worker for worker in workers if isinstance(worker, Mapping)] if isinstance(workers, list) else []


def trouble(worker: Mapping[str, Any]) -> str:
    """What keeps a worker from serving, to follow its name; "" for one that serves or is gone."""
    name = state_of(worker)
    if name in GONE_WORKERS or (name == "running" and worker.get("healthy")):
        return ""
    why = told(worker.get("state"))
    unhealthy = "running, but not healthy yet" if name == "running" else name or "without a state"
    return unhealthy + (f": {why}" if why else "")


def called(worker: Mapping[str, Any]) -> str:
    """What to call a worker in a sentence."""
    return f"worker {text(worker.get('id')) or '?'}"


def state_of(worker: Mapping[str, Any]) -> str:
    """Novita's word for how a worker does; "" when it has none."""
    state = worker.get("state")
    return text(state.get("state") if isinstance(state, Mapping) else state) or ""


def told(state: object) -> str:
    """Novita's own words, cut at 200 characters."""
    if not isinstance(state, Mapping):
        return ""
    words = (said for key in ("error", "message") if state.get(key) and (said := text(state[key])))
    return " - ".join(dict.fromkeys(words))[:200]
