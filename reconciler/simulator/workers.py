"""The states of workers over time: pending, pulling, running, removed."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from reconciler.model.lazy_dataclass import dataclass
from reconciler.simulator.profile import Profile

# The share of the boot time before the image is pulled.
PENDING_SHARE = 0.25
# Removed workers stay in answers. A few are enough to find a client that counts them.
TOMBSTONES_KEPT = 5


@dataclass(slots=True, kw_only=True)
class Worker:
    """One worker, with times in epoch seconds. `started` is None without stock, `retired` is its end.

    `drain`: it finishes what it has and gets no new requests. `warm`: its image was there when it started.
    """

    id: str
    started: float | None
    retired: float | None = None
    drain: bool = False
    warm: bool = False

    def is_removed(self, now: float) -> bool:
        return self.retired is not None and self.retired <= now

    def state(self, now: float, profile: Profile) -> str:
        """Return the name of the state."""
        if self.is_removed(now):
            return "removed"
        if self.started is None:
            return "failed"
        age, boot = now - self.started, boot_seconds(profile, warm=self.warm)
        if age >= boot:
            return "running"
        return "pending" if age < boot * PENDING_SHARE else "pulling"

    def answer(self, now: float, profile: Profile) -> dict[str, Any]:
        """Return the worker as the API answers it. `log` and `metrics` are addresses."""
        state = self.state(now, profile)
        alive = state != "removed"
        # Users saw this message when there was no stock.
        error = (profile.worker_error or "failed to schedule worker") if state == "failed" else ""
        ready = None if self.started is None else self.started + boot_seconds(profile, warm=self.warm)
        is_up = state == "running"
        billed = self.started if profile.billed_from == "starting" else ready
        is_billed = billed is not None and billed <= (now if self.retired is None else min(now, self.retired))
        return {
            "id": self.id,
            "state": {
                "state": profile.worker_state or state if state == "failed" else state,
                "error": error,
                "message": error,
            },
            "log": f"https://logs.novita.invalid/{self.id}" if alive else "",
            "metrics": f"https://metrics.novita.invalid/{self.id}" if alive else "",
            "healthy": is_up,
            "drain": self.drain,
            "createdAt": _time(billed) if is_billed else "",
            "readyAt": _time(ready) if is_up else "",
            "deletedAt": "" if alive else _time(self.retired),
        }


def boot_seconds(profile: Profile, *, warm: bool) -> float:
    """Return the time in seconds from the start of a worker until it runs."""
    return profile.worker_boot_seconds * (profile.warm_boot_share if warm else 1.0)


def _time(seconds: float | None) -> str:
    """Return a time in RFC 3339; "" if there is none. Some clients read such fields; no document has them."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def settle(
    workers: list[Worker], *, wanted: int, now: float, in_stock: bool, warm: bool, new_id: Callable[[], str]
) -> None:
    """Start or retire workers until `wanted` run. A second call changes nothing.

    `warm` is for the workers that start now.
    """
    living = [worker for worker in workers if worker.retired is None]
    for worker in living:
        if worker.started is None and in_stock:
            worker.started, worker.warm = now, warm
    for worker in living[wanted:]:
        worker.retired = now
    started = now if in_stock else None
    workers.extend(Worker(id=new_id(), started=started, warm=warm) for _ in range(wanted - len(living)))
    removed = [worker for worker in workers if worker.is_removed(now)]
    for worker in removed[:-TOMBSTONES_KEPT]:
        workers.remove(worker)


def roll(workers: list[Worker], *, now: float, boot: float, overlap: bool) -> None:
    """Retire all workers: at once, or with `overlap` when the new ones have booted."""
    for worker in workers:
        if worker.retired is None:
            worker.retired = now + boot if overlap else now
