"""What waiting in vain looks like, with a clock that is turned by hand."""

import os
from dataclasses import dataclass

from reconciler.model.apply_events import ApplyEvent, ApplyReport
from reconciler.reports.terminal.progress import apply_report_text
from reconciler.simulator import Fault
from reconciler.workflow.apply import apply
from reconciler.workflow.runtime.context import Context
from tests.e2e.desk import Sandbox, item


@dataclass
class HandClock:
    """Waits end at once and have passed all the same."""

    time: float = 0.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds


def applied(desk: Sandbox) -> tuple[ApplyReport, HandClock]:
    """An approved apply under such a clock."""
    clock = HandClock()
    events: list[ApplyEvent] = []
    context = Context(root=desk.root, environ=os.environ)
    found = apply(context, lambda _: True, events.append, clock=clock)
    assert found.report is not None
    return found.report, clock


def test_a_value_that_is_kept(desk: Sandbox) -> None:
    """A server that silently clamps is reported with both values: exit 4, one write, and no loop."""
    desk.sim.world.switch(clamp={"workerConfig.freeTimeout": 1000})
    desk.declare(item("chat", freeTimeout=5000))
    report, _ = applied(desk)
    assert report.exit_code == 4
    assert "kept workerConfig.freeTimeout 1000 where 5000 was sent" in apply_report_text(report)
    assert len(desk.sent()) == 1
    assert desk.inventory["chat"]["id"] == desk.id("chat")
    assert desk.plan().actions == {"chat": "update"}


def test_a_value_that_is_kept_by_an_update(desk: Sandbox) -> None:
    """An update that took only in part is told, secret values by name alone."""
    desk.monkeypatch.setenv("TOKEN", "a-secret-value")
    desk.declare(item("chat"))
    desk.apply()
    desk.declare(item("chat", env={"TOKEN": "${env:TOKEN}"}, command="serve"))
    desk.sim.faults.after(
        "update", lambda _: desk.sim.world.console_update(desk.id("chat"), envs=[], image={"command": ""})
    )
    report, _ = applied(desk)
    said = apply_report_text(report)
    assert report.exit_code == 4
    assert "another envs.TOKEN" in said
    assert 'image.command "" where "serve" was sent' in said
    assert "a-secret-value" not in said


def test_a_created_one_that_does_not_appear(desk: Sandbox) -> None:
    """It is recorded, and the report says that it could not be read."""
    desk.sim.world.switch(get_lag_seconds=3600.0)
    desk.declare(item("chat"))
    report, clock = applied(desk)
    assert report.exit_code == 4
    assert "cannot be read after 8 s" in apply_report_text(report)
    assert 8 <= clock.time < 20
    assert desk.inventory["chat"]["id"] == desk.id("chat")


def test_a_deleted_one_that_stays(desk: Sandbox) -> None:
    """A replacement whose old endpoint never goes ends there: nothing new is made beside it."""
    desk.sim.world.switch(terminating_seconds=3600.0)
    desk.declare(item("chat"))
    desk.apply()
    desk.declare(item("chat", specName="large"))
    report, clock = applied(desk)
    assert report.exit_code == 4
    assert "was deleted, but is still there after 120 s" in apply_report_text(report)
    assert 120 <= clock.time < 200
    assert len(desk.sent("create")) == 1


def test_an_app_name_that_stays_taken(desk: Sandbox) -> None:
    """The name of what was deleted is waited for half a minute; then the create has failed."""
    desk.declare(item("chat"))
    desk.apply()
    desk.declare(item("chat", specName="large"))
    taken = Fault(operation="create", status=400, reason="SERVERLESS_APP_NAME_IS_EXIST", times=None)
    desk.sim.faults.add(taken)
    report, clock = applied(desk)
    assert report.exit_code == 4
    assert "SERVERLESS_APP_NAME_IS_EXIST" in apply_report_text(report)
    assert 30 <= clock.time < 60
    desk.sim.faults.clear()
    assert (desk.plan().actions, desk.plan().codes) == ({"chat": "create"}, [])


def test_what_did_not_take_is_resumed(desk: Sandbox) -> None:
    """A value that Novita kept was recorded as applied, and is still what was approved."""
    desk.declare(item("a"))
    desk.apply()
    desk.declare(item("a", port=9000))
    kept = {"ports": [{"port": 8000}]}
    desk.sim.faults.after("update", lambda _: desk.sim.world.console_update(desk.id("a"), **kept))
    report, _ = applied(desk)
    assert report.exit_code == 4
    assert desk.run("apply", "--resume").code == 0
    assert desk.live()["a"]["ports"] == [{"port": 9000}]
