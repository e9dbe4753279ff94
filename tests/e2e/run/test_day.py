"""A day of a controller, by a clock that jumps: commits, drift, faults, windows, schedules and leases."""

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from reconciler.controller.approval import approve
from reconciler.controller.state import SyncStatus
from reconciler.model.sync.lease import Lease
from reconciler.simulator.faults import Fault
from reconciler.workflow.apply import apply
from reconciler.workflow.lease import lease_goal
from tests.e2e.run.controller import Controller
from tests.e2e.run.test_policies import edit
from tests.e2e.sandbox import Sandbox, item

SCHEDULE = [
    {"cron": "0 8 * * *", "min": 1, "max": 4, "tz": "UTC"},
    {"cron": "0 20 * * *", "min": 0, "max": 1, "tz": "UTC"},
]
NIGHTLY = {"kind": "deny", "cron": "0 1 * * *", "duration": "2h", "tz": "UTC"}


class Day:
    """The files of the day, and the number of creates that they need."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.images: dict[str, str] = {f"chat-{number:02}": "ubuntu:22.04" for number in range(12)}
        self.is_valid = True

    def commit(self) -> None:
        items: list[dict[str, Any]] = [
            item(name, image=image, minReplicas=0, maxReplicas=3) for name, image in self.images.items()
        ]
        day_night = {key: value for key, value in item("day-night").items() if "Replicas" not in key}
        careful = item("careful", minReplicas=0, maxReplicas=2, sync={"apply": "manual", "drift": "report"})
        items += [{**day_night, "schedule": SCHEDULE}, careful]
        self.sandbox.declare(*items, **({} if self.is_valid else {"endpoint": "a typing error"}))

    def change(self, name: str, image: str) -> None:
        self.images[name] = image
        self.commit()

    def remove(self, *names: str) -> None:
        for name in names:
            del self.images[name]
        self.commit()

    def breaks(self, *, is_valid: bool) -> None:
        self.is_valid = is_valid
        self.commit()

    def gpu_is_busy(self) -> None:
        self.sandbox.sim.faults.add(Fault(operation="update", status=400, message="no", times=2))


@pytest.mark.parametrize("seed", [1])
def test_a_day(sandbox: Sandbox, seed: int) -> None:
    sync = {"apply": "auto", "drift": "revert", "prune": True, "windows": [NIGHTLY]}
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 0.05, "sync": sync}})
    controller, day, random = Controller(sandbox=sandbox), Day(sandbox), Random(seed)
    clock, world, faults = controller.clock, sandbox.sim.world, sandbox.sim.faults
    day.commit()
    clock.at(1.5, lambda: day.change("chat-00", "ubuntu:night"))  # in the deny window, which ends at 3
    clock.at(2.9, lambda: _is(sandbox, "chat-00", "ubuntu:22.04"))
    clock.at(3.1, lambda: _is(sandbox, "chat-00", "ubuntu:night"))
    for hour in (*range(4, 13), *range(14, 23)):
        name = f"chat-{random.randrange(1, 8):02}"
        clock.at(hour + 0.3, lambda name=name, hour=hour: day.change(name, f"ubuntu:{hour}"))
        clock.at(hour + 0.6, lambda name=name: edit(sandbox, name, maxNum=9))
    clock.at(4.0, lambda: _approved(controller))
    clock.at(5.4, lambda: edit(sandbox, "careful", maxNum=7))
    clock.at(6.2, lambda: day.breaks(is_valid=False))
    clock.at(6.7, lambda: day.breaks(is_valid=True))
    clock.at(7.5, lambda: faults.add(Fault(operation="list", status=503, times=40)))
    clock.at(9.0, lambda: _workers(sandbox, "day-night", 4))
    clock.at(9.1, day.gpu_is_busy)
    clock.at(10.4, lambda: world.console_delete(sandbox.id("chat-09")))
    clock.at(12.1, lambda: day.remove("chat-11"))
    clock.at(13.1, lambda: day.remove(*(f"chat-{number:02}" for number in range(4, 11))))  # too many
    clock.at(14.2, lambda: _restored(day))
    clock.at(15.5, lambda: _leased(sandbox, controller))
    clock.at(15.8, lambda: _workers(sandbox, "chat-08", 8))
    clock.at(17.8, lambda: _workers(sandbox, "chat-08", 3))
    clock.at(18.0, lambda: world.console_create(name="theirs", appName="theirs"))
    clock.at(21.0, lambda: _workers(sandbox, "day-night", 1))
    for until in (4.7, 9.15, 15.3, 24):  # each time as a process that knows only what the store has
        controller.run_until(until)
    names = {*day.images, "day-night", "careful"}
    live = sandbox.live()
    assert set(live) == names | {"theirs"}
    assert {name: live[name]["image"]["image"] for name in day.images} == day.images
    assert all(live[name]["workerConfig"]["maxNum"] == 3 for name in day.images)
    assert {name: one["id"] for name, one in sandbox.inventory.items()} == {
        name: live[name]["id"] for name in names
    }
    created = Counter(json.loads(one.body)["endpoint"]["name"] for one in sandbox.sent("create"))
    assert created == Counter({**dict.fromkeys([*names, "chat-11"], 1), "chat-09": 2})
    statuses = {one.address.split(".")[1]: one.status for one in controller.loop.state.endpoints}
    assert statuses == {**dict.fromkeys(names, SyncStatus.SYNCED), "careful": SyncStatus.DRIFTED}
    # the typing error, and the commit that deletes half
    assert {one.subject for one in controller.told("refused")} == {"source", "plan"}
    assert controller.loop.state.backoffs == {}
    assert controller.loop.state.waiting is None
    assert live["careful"]["workerConfig"]["maxNum"] == 7


def _is(sandbox: Sandbox, name: str, image: str) -> None:
    assert sandbox.live()[name]["image"]["image"] == image


def _workers(sandbox: Sandbox, name: str, high: int) -> None:
    assert sandbox.live()[name]["workerConfig"]["maxNum"] == high


def _restored(day: Day) -> None:
    day.images |= {
        f"chat-{number:02}": day.images.get(f"chat-{number:02}", "ubuntu:22.04") for number in range(11)
    }
    day.commit()


def _approved(controller: Controller) -> None:
    """Approve the plan that waits, as a person does on any machine."""
    waiting = controller.loop.state.waiting
    assert waiting
    assert "careful" in waiting.text
    approve(controller.context, waiting, "anna")


def _leased(sandbox: Sandbox, controller: Controller) -> None:
    """Scale for two hours, as a command line at the time of the day does."""
    lease = Lease(min=8, max=8, until=controller.clock.now() + timedelta(hours=2), why="a demo")
    context, goal = lease_goal(replace(controller.context, lock_timeout=5.0), "chat-08", lease)
    assert apply(context, lambda _planned: True, lambda _event: None, goal=goal).exit_code == 0
