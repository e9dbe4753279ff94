"""What fails, when it is tried again, and what a dead leader leaves."""

from typing import Any

import pytest

from reconciler.controller.source import FolderSource
from reconciler.model.errors import SourceError
from reconciler.model.problem import Problem
from reconciler.simulator.faults import Fault
from tests.e2e.run.controller import Controller
from tests.e2e.run.test_policies import edit, policy
from tests.e2e.sandbox import KEY, Sandbox, item


class Repository(FolderSource):
    """A folder that cannot be reached for a while, as the server of a git repository."""

    is_down = False

    def poll(self) -> str:
        if self.is_down:
            raise SourceError(Problem(code="git-unreachable", summary="git.example.com does not answer"))
        return super().poll()

    def switch(self, *, is_down: bool) -> None:
        self.is_down = is_down


@pytest.fixture
def controller(sandbox: Sandbox) -> Controller:
    return Controller(sandbox=sandbox)


def attempts(sandbox: Sandbox, operation: str) -> int:
    return len(sandbox.sent(operation))


def test_a_refused_endpoint_waits_longer_each_time(sandbox: Sandbox, controller: Controller) -> None:
    """After 30 s, 60 s, ... 30 min at most. The others are applied, and a new leader honours the pause."""
    policy(sandbox, apply="auto")
    sandbox.sim.faults.add(Fault(operation="create", status=400, times=None))
    sandbox.declare(item("chat"))
    controller.run_until(1)
    first = attempts(sandbox, "create")
    assert 6 <= first <= 8  # at 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 and 61.5 minutes
    controller.run_until(1.02)
    assert attempts(sandbox, "create") == first
    assert len(controller.told("failed")) == 1
    sandbox.sim.faults.clear()
    controller.run_until(2)
    assert set(sandbox.live()) == {"chat"}
    assert len(controller.told("recovered")) == 1
    assert controller.loop.state.backoffs == {}


def test_a_refused_key_stops_writes_and_not_reads(sandbox: Sandbox, controller: Controller) -> None:
    policy(sandbox, apply="auto")
    sandbox.sim.faults.add(Fault(operation="create", status=403, reason="FORBIDDEN", times=None))
    sandbox.declare(*(item(f"chat-{number}") for number in range(30)))
    controller.run_until(0.9)
    assert set(controller.loop.state.backoffs) == {"account"}
    assert any("tried again" in line for line in controller.loop.state.paused)
    assert attempts(sandbox, "create") <= 80  # in seven attempts, each with those in flight
    assert controller.loop.state.checked_at
    sandbox.sim.faults.clear()
    controller.run_until(2.5)
    assert len(sandbox.live()) == 30
    assert controller.loop.state.backoffs == {}


def test_an_account_that_cannot_be_read(sandbox: Sandbox, controller: Controller) -> None:
    """It is told once, with its end."""
    policy(sandbox, apply="auto")
    sandbox.declare(item("chat"))
    controller.run_until(1)
    controller.clock.at(1.1, lambda: sandbox.sim.world.switch(api_key="another"))
    controller.clock.at(3, lambda: sandbox.sim.world.switch(api_key=KEY))
    controller.run_until(5)
    assert [one.subject for one in controller.told("failed")] == ["account"]
    assert [one.subject for one in controller.told("recovered")] == ["account"]


@pytest.mark.parametrize("apply", ["auto", "manual"])
def test_a_create_without_a_record_is_settled(sandbox: Sandbox, controller: Controller, apply: str) -> None:
    """A run was killed after its create: the next rounds record the endpoint, and create no second one."""
    policy(sandbox, apply=apply)
    sandbox.declare(item("chat"))
    sandbox.killed("create")
    controller.run_until(1)
    assert len(sandbox.live()) == 1
    assert attempts(sandbox, "create") == 1
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat")
    assert sandbox.plan().code == 0


def test_a_folder_without_a_valid_file(sandbox: Sandbox, controller: Controller) -> None:
    """There is nothing in force yet, so that nothing is done; the next file is used."""
    sandbox.write("endpoints.yaml", "endpoints: [")
    controller.run_until(1)
    assert sandbox.operations == set()
    assert len(controller.told("failed")) + len(controller.told("refused")) >= 1
    sandbox.declare(item("chat"))
    controller.run_until(2)
    assert controller.loop.state.waiting


def test_time_changes_worker_counts_while_other_changes_wait(
    sandbox: Sandbox, controller: Controller
) -> None:
    schedule: list[dict[str, Any]] = [
        {"cron": "0 8 * * *", "min": 2, "max": 4, "tz": "UTC"},
        {"cron": "0 18 * * *", "min": 0, "max": 1, "tz": "UTC"},
    ]
    policy(sandbox, apply="auto")
    declared = {key: value for key, value in item("chat").items() if "Replicas" not in key}
    sandbox.declare({**declared, "schedule": schedule})
    controller.run_until(7)
    assert sandbox.live()["chat"]["workerConfig"]["maxNum"] == 1
    policy(sandbox)
    sandbox.declare({**declared, "schedule": schedule, "image": "ubuntu:24.04"})
    controller.run_until(8.01)
    live = sandbox.live()["chat"]
    assert (live["workerConfig"]["minNum"], live["workerConfig"]["maxNum"]) == (2, 4)
    assert live["image"]["image"] == "ubuntu:22.04"
    assert controller.loop.state.waiting
    assert "ubuntu:24.04" in controller.loop.state.waiting.text


def test_nothing_is_changed_outside_of_the_windows(sandbox: Sandbox, controller: Controller) -> None:
    policy(
        sandbox,
        apply="auto",
        drift="revert",
        windows=[{"kind": "allow", "cron": "0 22 * * *", "duration": "2h", "tz": "UTC"}],
    )
    sandbox.declare(item("chat", maxReplicas=3))
    controller.run_until(21.9)
    assert sandbox.sent() == []
    controller.run_until(22.05)
    assert set(sandbox.live()) == {"chat"}
    controller.clock.at(24.5, lambda: edit(sandbox, "chat", maxNum=7))
    controller.run_until(45.9)
    assert sandbox.live()["chat"]["workerConfig"]["maxNum"] == 7
    controller.run_until(46.05)
    assert sandbox.live()["chat"]["workerConfig"]["maxNum"] == 3


def test_the_server_of_the_files_is_down_for_an_hour(sandbox: Sandbox) -> None:
    """The files in force stay so: drift is reverted. It is told once, with its end; then comes the commit."""
    source = Repository(sandbox.root)
    controller = Controller(sandbox=sandbox, source=source)
    policy(sandbox, apply="auto", drift="revert")
    sandbox.declare(item("chat", maxReplicas=3))
    controller.clock.at(1, lambda: source.switch(is_down=True))
    controller.clock.at(1.2, lambda: edit(sandbox, "chat", maxNum=7))
    controller.clock.at(1.9, lambda: sandbox.declare(item("chat", maxReplicas=3), item("embed")))
    controller.clock.at(2, lambda: source.switch(is_down=False))
    controller.run_until(1.8)
    assert sandbox.live()["chat"]["workerConfig"]["maxNum"] == 3
    assert [one.subject for one in controller.told("failed")] == ["source"]
    controller.run_until(2.5)
    assert [one.subject for one in controller.told("recovered")] == ["source"]
    assert "embed" in sandbox.live()
    assert len(controller.told("failed")) == 1


def test_a_clock_that_is_set_back_delays_nothing_for_long(sandbox: Sandbox, controller: Controller) -> None:
    policy(sandbox, apply="auto")
    sandbox.sim.faults.add(Fault(operation="create", status=400, times=4))
    sandbox.declare(item("chat"))
    controller.clock.at(0.05, lambda: controller.clock.set_back(6 * 3600))
    controller.run_until(1)
    assert set(sandbox.live()) == {"chat"}
