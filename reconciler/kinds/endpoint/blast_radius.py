"""The effect of a change on the workers of an endpoint that run now.

Novita documents which fields an update changes, and not which of them restart workers. Its console says that
an update starts new workers, releases the old ones when the new ones are up, takes about a minute, and may
exceed the maximum of workers meanwhile. A container gets its image, command, variables, port, mounts and
health path when it starts, so a change of these takes new workers. Worker counts only add or stop workers.
Of the other fields nothing is known. The API has no restart, and no answer tells how many requests wait.

change                                   effect
only worker counts                       no restart
image, command, env, port, storage, ...  rolling restart
any other field that can be updated      may restart
a field that cannot, or on request       replaced: another ID and URL
no longer wanted                         deleted
"""

from __future__ import annotations

from typing import Any, Final

from reconciler.kinds.endpoint.fields import MAX, MIN, TABLE
from reconciler.kinds.endpoint.workers import RUNNING_PARTS, workers_of
from reconciler.model.plan import Adopt, Change, Delete, Replace, Scale, Update
from reconciler.model.resource import Live
from reconciler.model.review.blast_radius import BlastRadius, Effect
from reconciler.model.values import Fields, value_at

_LOCAL: Final = "local"


def blast_radius(change: Change) -> BlastRadius | None:
    """Return the effect of a change on what runs now; None if it changes no live endpoint."""
    match change:
        case Replace():
            running = running_workers(change.live)
            added = _count(change.target, MIN, 0) if change.create_first else 0
            peak = max(running + added, _count(change.target, MIN, 0))
            return _removal(Effect.REPLACED, change.live, running, peak)
        case Delete():
            running = running_workers(change.live)
            return _removal(Effect.DELETED, change.live, running, running)
        case Scale():
            return _update(change, Effect.NO_RESTART)
        case Update() | Adopt() if change.fields:
            return _update(change, _effect_of(change))
        case _:
            return None


def running_workers(live: Live) -> int:
    """Return how many workers run or start (count), also those that drain."""
    return sum(not worker.has_ended for worker in workers_of(live))


def _effect_of(change: Update | Adopt) -> Effect:
    paths = [field.path for field in change.fields]
    if any(path[0] in RUNNING_PARTS for path in paths):
        return Effect.ROLLING_RESTART
    return Effect.NO_RESTART if TABLE.scaling.issuperset(paths) else Effect.MAY_RESTART


def _update(change: Update | Adopt | Scale, effect: Effect) -> BlastRadius:
    workers = workers_of(change.live)
    running = sum(not worker.has_ended for worker in workers)
    least = _count(change.target, MIN, _count(change.live.fields, MIN, 0))
    most = _count(change.target, MAX, _count(change.live.fields, MAX, running))
    stopped = max(0, sum(worker.is_capacity for worker in workers) - most)
    new = max(min(running, most), least) if effect is not Effect.NO_RESTART and running else 0
    return BlastRadius(
        effect=effect, workers=running, peak_workers=max(running + new, least), surplus=stopped
    )


def _removal(effect: Effect, live: Live, running: int, peak: int) -> BlastRadius:
    volumes = live.fields.get("volumeMounts", {}).values()
    has_local_data = any(volume.get("type") == _LOCAL for volume in volumes)
    lost = ["ID", "URL", *(["data of local storage"] if has_local_data else [])]
    return BlastRadius(effect=effect, workers=running, peak_workers=peak, lost=tuple(lost))


def _count(fields: Fields, path: tuple[str, ...], default: int) -> int:
    value: Any = value_at(fields, path)
    return value if isinstance(value, int) else default
