"""Which workers are too many once the most is lowered: those not ready, then the youngest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.kinds.endpoint.readiness import GONE_WORKERS, state_of, workers_of
from reconciler.model.resource import Live

NOT_COUNTED: Final = GONE_WORKERS | {"failed"}


def surplus(live: Live, most: int) -> tuple[str, ...]:
    """The IDs of the workers beyond `most` (count), not ready ones first.

    No answer tells the age of a worker; Novita lists them in the order in which they were started.
    """
    counted = [worker for worker in workers_of(live) if state_of(worker) not in NOT_COUNTED]
    counted.reverse()
    dispensable = sorted(counted, key=_is_ready)[: max(0, len(counted) - most)]
    return tuple(str(worker.get("id", "")) for worker in dispensable)


def _is_ready(worker: Mapping[str, Any]) -> bool:
    return state_of(worker) == "running" and bool(worker.get("healthy"))
