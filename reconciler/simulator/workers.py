"""The life of workers as a function of the clock: pending, pulling, running, removed."""

from collections.abc import Callable
from typing import Any

from reconciler.model.lazy_dataclass import dataclass

# The share of the boot time a worker waits before its image is pulled.
PENDING_SHARE = 0.25
# Removed workers stay in answers; a few are enough to trip a client that counts them.
TOMBSTONES_KEPT = 5


@dataclass(slots=True, kw_only=True)
class Worker:
    """One worker: `started` is None while it finds no stock, `retired` is when it goes; epoch seconds."""

    id: str
    started: float | None
    retired: float | None = None

    def is_removed(self, now: float) -> bool:
        return self.retired is not None and self.retired <= now

    def state(self, now: float, boot: float) -> str:
        """The state's name after `boot` seconds of start-up."""
        if self.is_removed(now):
            return "removed"
        if self.started is None:
            return "failed"
        age = now - self.started
        if age >= boot:
            return "running"
        return "pending" if age < boot * PENDING_SHARE else "pulling"

    def answer(self, now: float, boot: float) -> dict[str, Any]:
        """The worker as the API shows it; `log` and `metrics` are addresses, not data."""
        state = self.state(now, boot)
        alive = state != "removed"
        # This wording is what users saw when there was no stock.
        error = "failed to schedule worker" if state == "failed" else ""
        return {
            "id": self.id,
            "state": {"state": state, "error": error, "message": error},
            "log": f"https://logs.novita.invalid/{self.id}" if alive else "",
            "metrics": f"https://metrics.novita.invalid/{self.id}" if alive else "",
            "healthy": state == "running",
        }


def settle(
    workers: list[Worker], *, wanted: int, now: float, in_stock: bool, new_id: Callable[[], str]
) -> None:
    """Starts or retires workers until `wanted` are meant to live; calling it again changes nothing."""
    living = [worker for worker in workers if worker.retired is None]
    for worker in living:
        if worker.started is None and in_stock:
            worker.started = now
    for worker in living[wanted:]:
        worker.retired = now
    started = now if in_stock else None
    workers.extend(Worker(id=new_id(), started=started) for _ in range(wanted - len(living)))
    removed = [worker for worker in workers if worker.is_removed(now)]
    for worker in removed[:-TOMBSTONES_KEPT]:
        workers.remove(worker)


def roll(workers: list[Worker], *, now: float, boot: float, overlap: bool) -> None:
    """Retires all workers for a new generation: at once, or with `overlap` once the new ones could boot."""
    for worker in workers:
        if worker.retired is None:
            worker.retired = now + boot if overlap else now
