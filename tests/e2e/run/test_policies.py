"""What the controller changes by itself, what waits for an approval, and what it leaves alone."""

import pytest

from reconciler.controller.approval import approve
from reconciler.controller.state import RoundResult, SyncStatus, read_state
from tests.e2e.run.controller import Controller
from tests.e2e.sandbox import Sandbox, item

MINUTE = 1 / 60


def policy(sandbox: Sandbox, **sync: object) -> None:
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 0.05, "sync": sync}})


@pytest.fixture
def controller(sandbox: Sandbox) -> Controller:
    return Controller(sandbox=sandbox)


def edit(sandbox: Sandbox, name: str, **worker: int) -> None:
    """Change worker counts in the console."""
    sandbox.sim.world.console_update(sandbox.id(name), workerConfig=worker)


def statuses(controller: Controller) -> dict[str, SyncStatus]:
    return {one.address.split(".")[1]: one.status for one in controller.loop.state.endpoints}


def test_a_new_file_waits_and_keeps_its_digest(sandbox: Sandbox, controller: Controller) -> None:
    sandbox.declare(item("chat"))
    controller.run_until(1)
    first = controller.loop.state.waiting
    assert first
    assert "+ chat" in first.text
    assert statuses(controller) == {"chat": SyncStatus.PENDING}
    controller.run_until(2)
    assert controller.loop.state.waiting == first
    kept = read_state(controller.context)
    assert kept
    assert kept.waiting == first
    assert len(controller.told("waiting")) == 1
    assert sandbox.sent() == []


def test_an_approval_applies_exactly_the_plan_that_waits(sandbox: Sandbox, controller: Controller) -> None:
    sandbox.declare(item("chat"))
    controller.run_until(1)
    waiting = controller.loop.state.waiting
    assert waiting
    approve(controller.context, waiting, "anna")
    controller.run_until(1 + MINUTE)
    assert set(sandbox.live()) == {"chat"}
    assert controller.loop.state.waiting is None
    assert controller.loop.state.result is RoundResult.NO_CHANGE


def test_an_approval_of_another_plan_applies_nothing(sandbox: Sandbox, controller: Controller) -> None:
    sandbox.declare(item("chat"))
    controller.run_until(1)
    waiting = controller.loop.state.waiting
    assert waiting
    approve(controller.context, waiting, "anna")
    sandbox.declare(item("chat"), item("embed"))
    controller.run_until(2)
    assert sandbox.sent() == []
    again = controller.loop.state.waiting
    assert again
    assert again.digest != waiting.digest


def test_drift_is_reported_and_stays_through_another_change(sandbox: Sandbox, controller: Controller) -> None:
    """The update sends the live value of the field that drifted, and the record keeps what was applied."""
    policy(sandbox, apply="auto")
    sandbox.declare(item("chat", maxReplicas=3))
    controller.run_until(1)
    edit(sandbox, "chat", maxNum=7)
    controller.run_until(2)
    assert statuses(controller) == {"chat": SyncStatus.DRIFTED}
    assert len(controller.told("drift_found")) == 1
    sandbox.declare(item("chat", maxReplicas=3, image="ubuntu:24.04"))
    controller.run_until(3)
    live = sandbox.live()["chat"]
    assert live["image"]["image"] == "ubuntu:24.04"
    assert live["workerConfig"]["maxNum"] == 7
    assert statuses(controller) == {"chat": SyncStatus.DRIFTED}
    assert len(sandbox.sent("update")) == 1
    assert len(controller.told("drift_found")) == 1


def test_drift_is_reverted(sandbox: Sandbox, controller: Controller) -> None:
    """Also in an endpoint whose declared changes wait for an approval, which stay undone."""
    policy(sandbox, apply="auto")
    sandbox.declare(item("chat", maxReplicas=3))
    controller.run_until(1)
    policy(sandbox, drift="revert")
    sandbox.declare(item("chat", maxReplicas=3, image="ubuntu:24.04"))
    edit(sandbox, "chat", maxNum=7)
    controller.run_until(2)
    live = sandbox.live()["chat"]
    assert live["workerConfig"]["maxNum"] == 3
    assert live["image"]["image"] == "ubuntu:22.04"
    assert controller.loop.state.waiting
    assert "ubuntu:24.04" in controller.loop.state.waiting.text


def test_scale_is_accepted(sandbox: Sandbox, controller: Controller) -> None:
    policy(sandbox, apply="auto", drift="accept-scale")
    sandbox.declare(item("chat", maxReplicas=3))
    controller.run_until(1)
    edit(sandbox, "chat", maxNum=7)
    controller.run_until(2)
    assert statuses(controller) == {"chat": SyncStatus.SYNCED}
    assert controller.told("drift_found") == []
    assert sandbox.live()["chat"]["workerConfig"]["maxNum"] == 7


@pytest.mark.parametrize("prune", [False, True])
def test_what_is_no_longer_declared_is_deleted_only_with_prune(
    sandbox: Sandbox, controller: Controller, prune: bool
) -> None:
    policy(sandbox, apply="auto", prune=prune)
    sandbox.declare(*(item(f"chat-{number}") for number in range(5)))
    controller.run_until(1)
    sandbox.declare(*(item(f"chat-{number}") for number in range(4)))
    controller.run_until(2)
    assert ("chat-4" in sandbox.live()) is not prune
    assert controller.loop.state.waiting is None
    if not prune:
        assert statuses(controller)["chat-4"] is SyncStatus.BLOCKED


def test_a_commit_that_deletes_half_is_refused_and_told_once(
    sandbox: Sandbox, controller: Controller
) -> None:
    policy(sandbox, apply="auto", prune=True)
    sandbox.declare(*(item(f"chat-{number}") for number in range(12)))
    controller.run_until(1)
    sandbox.declare(*(item(f"chat-{number}") for number in range(6)))
    controller.run_until(5)
    assert len(sandbox.live()) == 12
    assert controller.loop.state.result is RoundResult.REFUSED
    assert len(controller.told("refused")) == 1
    assert sandbox.sent("delete") == []
    sandbox.declare(*(item(f"chat-{number}") for number in range(12)))
    controller.run_until(6)
    assert len(controller.told("recovered")) == 1


def test_without_prune_such_a_commit_stops_no_other_change(sandbox: Sandbox, controller: Controller) -> None:
    policy(sandbox, apply="auto")
    sandbox.declare(*(item(f"chat-{number}") for number in range(12)))
    controller.run_until(1)
    sandbox.declare(*(item(f"chat-{number}") for number in range(6)), item("embed"))
    controller.run_until(2)
    assert len(sandbox.live()) == 13
    assert controller.told("refused") == []


def test_a_revision_that_is_invalid_waits_for_the_next(sandbox: Sandbox, controller: Controller) -> None:
    """The files in force stay so: drift is still reverted."""
    policy(sandbox, apply="auto", drift="revert")
    sandbox.declare(item("chat", maxReplicas=3))
    controller.clock.at(0.5, lambda: sandbox.declare({**item("chat"), "imag": "x"}))
    controller.clock.at(0.8, lambda: edit(sandbox, "chat", maxNum=7))
    controller.run_until(2)
    assert sandbox.live()["chat"]["workerConfig"]["maxNum"] == 3
    assert controller.loop.state.rejected
    (refused,) = controller.told("refused")
    assert "imag" in refused.details[0]
    sandbox.declare(item("chat", maxReplicas=4))
    controller.run_until(3)
    assert not controller.loop.state.rejected
    assert sandbox.live()["chat"]["workerConfig"]["maxNum"] == 4


def test_an_endpoint_that_was_deleted_by_hand(sandbox: Sandbox, controller: Controller) -> None:
    policy(sandbox, apply="auto")
    sandbox.declare(item("chat"))
    controller.run_until(1)
    sandbox.sim.world.console_delete(sandbox.id("chat"))
    controller.run_until(2)
    assert "chat" not in sandbox.live()
    assert statuses(controller) == {"chat": SyncStatus.DRIFTED}
    policy(sandbox, apply="auto", drift="revert")
    controller.run_until(3)
    assert "chat" in sandbox.live()


def test_an_hour_without_news_is_one_line(sandbox: Sandbox, controller: Controller) -> None:
    policy(sandbox, apply="auto")
    sandbox.declare(item("chat"))
    controller.run_until(3.5)
    assert controller.lines == ["no news: 1 synced"] * 3


def test_what_is_held_is_one_line(sandbox: Sandbox, controller: Controller) -> None:
    policy(sandbox, apply="auto", suspendUntil="2026-03-09T00:00:00Z")
    sandbox.declare(item("chat"), item("embed"))
    controller.run_until(0.9)
    assert controller.lines == ["held: novita_endpoint.chat and 1 more: suspended until 2026-03-09 00:00Z"]
    assert sandbox.sent() == []
