"""What waiting in vain looks like, with a clock that is turned by hand."""

import os
from dataclasses import dataclass

from reconciler.model.apply_events import ApplyEvent, ApplyReport
from reconciler.reports.terminal.progress import apply_report_text
from reconciler.simulator import Fault
from reconciler.workflow.apply import apply
from reconciler.workflow.runtime.context import Context
from tests.e2e.sandbox import Sandbox, item


@dataclass
class HandClock:
    """Waits end at once and have passed all the same."""

    time: float = 0.0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds


def applied(sandbox: Sandbox) -> tuple[ApplyReport, HandClock]:
    """An approved apply under such a clock."""
    clock = HandClock()
    events: list[ApplyEvent] = []
    context = Context(root=sandbox.root, environ=os.environ)
    found = apply(context, lambda _: True, events.append, clock=clock)
    assert found.report is not None
    return found.report, clock


def test_a_value_that_is_kept(sandbox: Sandbox) -> None:
    """A server that silently clamps is reported with both values: exit 4, one write, and no loop."""
    sandbox.sim.world.switch(clamp={"workerConfig.freeTimeout": 1000})
    sandbox.declare(item("chat", freeTimeout=5000))
    report, _ = applied(sandbox)
    assert report.exit_code == 4
    assert "kept freeTimeout 1000 where 5000 was sent" in apply_report_text(report)
    assert len(sandbox.sent()) == 1
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat")
    assert sandbox.plan().actions == {"chat": "update"}


def test_a_value_that_is_kept_by_an_update(sandbox: Sandbox) -> None:
    """An update that took only in part is told, secret values by name alone."""
    sandbox.monkeypatch.setenv("TOKEN", "a-secret-value")
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare(item("chat", env={"TOKEN": "${env:TOKEN}"}, command="serve"))
    sandbox.sim.faults.after(
        "update",
        lambda _: sandbox.sim.world.console_update(sandbox.id("chat"), envs=[], image={"command": ""}),
    )
    report, _ = applied(sandbox)
    said = apply_report_text(report)
    assert report.exit_code == 4
    assert "another env.TOKEN" in said
    assert 'command "" where "serve" was sent' in said
    assert "a-secret-value" not in said


def test_a_created_one_that_does_not_appear(sandbox: Sandbox) -> None:
    """It is recorded, and the report says that it could not be read."""
    sandbox.sim.world.switch(get_lag_seconds=3600.0)
    sandbox.declare(item("chat"))
    report, clock = applied(sandbox)
    assert report.exit_code == 4
    assert "cannot be read after 8 s" in apply_report_text(report)
    assert 8 <= clock.time < 20
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat")


def test_a_deleted_one_that_stays(sandbox: Sandbox) -> None:
    """A replacement whose old endpoint never goes ends there: nothing new is made beside it."""
    sandbox.sim.world.switch(terminating_seconds=3600.0)
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare(item("chat", specName="large"))
    report, clock = applied(sandbox)
    assert report.exit_code == 4
    assert "was deleted, but is still there after 120 s" in apply_report_text(report)
    assert 120 <= clock.time < 200
    assert len(sandbox.sent("create")) == 1


def test_an_app_name_that_stays_taken(sandbox: Sandbox) -> None:
    """The name of what was deleted is waited for half a minute; then the create has failed."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare(item("chat", specName="large"))
    taken = Fault(operation="create", status=400, reason="SERVERLESS_APP_NAME_IS_EXIST", times=None)
    sandbox.sim.faults.add(taken)
    report, clock = applied(sandbox)
    assert report.exit_code == 4
    assert "SERVERLESS_APP_NAME_IS_EXIST" in apply_report_text(report)
    assert 30 <= clock.time < 60
    sandbox.sim.faults.clear()
    assert (sandbox.plan().actions, sandbox.plan().codes) == ({"chat": "create"}, [])


def test_what_did_not_take_is_resumed(sandbox: Sandbox) -> None:
    """A value that Novita kept was recorded as applied, and is still what was approved."""
    sandbox.declare(item("a"))
    sandbox.apply()
    sandbox.declare(item("a", port=9000))
    kept = {"ports": [{"port": 8000}]}
    sandbox.sim.faults.after("update", lambda _: sandbox.sim.world.console_update(sandbox.id("a"), **kept))
    report, _ = applied(sandbox)
    assert report.exit_code == 4
    assert sandbox.run("apply", "--resume").code == 0
    assert sandbox.live()["a"]["ports"] == [{"port": 9000}]
