"""The behaviour of Novita in a scenario, the network faults, and another user of the account."""

from __future__ import annotations

import threading
from random import Random
from types import TracebackType
from typing import Final, Self

from reconciler.simulator import Fault, Profile, World

WRITES: Final = ("create", "update", "delete")
READS: Final = ("list", "get")

WIRE: Final = (
    Fault(kind="lost_request"),
    Fault(kind="reset"),
    Fault(kind="hang", seconds=0.1),
    Fault(kind="slow", seconds=0.1),
    Fault(kind="lost_answer"),
    Fault(kind="late_answer", seconds=0.1),
    Fault(kind="truncated"),
)
ANSWERS: Final = (
    Fault(status=500, reason="INTERNAL_ERROR"),
    Fault(status=503, reason="SERVICE_UNAVAILABLE"),
    Fault(kind="status_after", status=504),
    Fault(kind="status_after", status=500, reason="INTERNAL_ERROR"),
    Fault(status=429, reason="RATE_LIMIT_EXCEEDED", retry_after=1),
    Fault(status=429),
    Fault(status=400, reason="INSUFFICIENT_RESOURCE"),
    Fault(kind="error_in_2xx", status=400, reason="VALIDATOR_PARAM"),
    Fault(kind="error_in_2xx", status=500, reason="INTERNAL_ERROR"),
    Fault(kind="html"),
    Fault(kind="html_502"),
    Fault(status=401),
)
KINDS_OF_FAULTS: Final = {"wire": WIRE, "answers": ANSWERS, "all": WIRE + ANSWERS}


def profile(rng: Random) -> Profile:
    """Return a random profile of Novita. Its listing lags less than the settling time."""
    return Profile(
        number_style=rng.choice(["string", "int"]),
        page_base=rng.choice([0, 1]),
        max_page_size=rng.choice([2, 100]),
        past_end=rng.choice(["empty", "repeat"]),
        list_order=rng.choice(["oldest", "newest"]),
        list_lag_seconds=rng.choice([0.0, 0.0, 0.2]),
        update_lag_seconds=rng.choice([0.0, 0.0, 0.1]),
        terminating_seconds=rng.choice([0.0, 0.0, 0.2]),
        env_order=rng.choice(["kept", "reversed"]),
        healthy_null=rng.choice([False, True]),
        tombstones=rng.choice([False, True]),
        not_found_status=rng.choice([400, 404]),
        drain_offered=rng.choice([True, True, False]),
    )


class Churn:
    """Another user of the account, who creates and deletes endpoints of other names."""

    def __init__(self, world: World, rng: Random) -> None:
        self._world = world
        self._dice = rng
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.left: dict[str, str] = {}
        """ID and name of the endpoints that this user has left in the account."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        for number in range(2000):
            if self.left and self._dice.random() < len(self.left) / 6:
                gone = self._dice.choice(sorted(self.left))
                self._world.console_delete(gone)
                del self.left[gone]
            else:
                name = f"churn-{number}"
                self.left[self._world.console_create(name=name, appName=name)] = name
            if self._over.wait(0.02):
                return
