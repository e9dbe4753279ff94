"""D7: a worker that failed is told first, with its reason; one that drains or has ended is no capacity."""

from contextlib import closing

import pytest

from reconciler.model.status import Happening
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.watch import watch
from tests.e2e.sandbox import Sandbox, item


@pytest.fixture
def two(sandbox: Sandbox) -> Sandbox:
    sandbox.declare(item("aaa", minReplicas=2, maxReplicas=4), item("zzz", minReplicas=1, maxReplicas=4))
    sandbox.apply()
    return sandbox


def fail(sandbox: Sandbox, name: str, state: str) -> None:
    """Let one more worker be wanted while none can start."""
    sandbox.sim.world.switch(worker_error="out of memory", worker_state=state)
    sandbox.sim.world.console_update(sandbox.id(name), workerConfig={"minNum": 2})


@pytest.mark.parametrize("state", ["Failed", "Exited"])
def test_status_begins_with_what_failed(two: Sandbox, state: str) -> None:
    fail(two, "zzz", state)
    _, first, second = two.run("status").out.splitlines()
    assert first.split()[:5] == ["zzz", "Pending", "1", "1", "1"]
    assert f" {state.lower()}: out of memory" in first
    assert second.split() == ["aaa", "Running", "2", "2", "2", "-"]
    assert [one["endpoint"] for one in two.run("status", "--json").document] == ["aaa", "zzz"]


def test_a_failure_is_an_event(two: Sandbox) -> None:
    """Once for each worker."""
    context = Context(root=two.root, environ={"NOVITA_API_KEY": "k", "NOVITA_BASE_URL": two.sim.url})
    with closing(watch(context, every=0.01)) as updates:
        assert next(updates).events == ()
        fail(two, "zzz", "Failed")
        (event,) = next(updates).events
        assert (event.name, event.happenings) == ("zzz", (Happening.SCALED, Happening.FAILED))
        assert event.message.endswith("failed: out of memory")
        assert next(updates).events == ()


def test_a_draining_worker_is_not_counted(two: Sandbox) -> None:
    """It is shown as long as it is there."""
    two.sim.world.switch(no_stock=True)
    assert two.run("scale", "aaa", "1", "--drain", "--auto-approve").code == 0
    _, row, _ = two.run("status").out.splitlines()
    assert row.split()[:5] == ["aaa", "Running", "1", "1", "1"]
    assert sum("running, draining" in line for line in two.run("get", "aaa").out.splitlines()) == 1
