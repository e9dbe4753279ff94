"""Many changes at once: one listing looks before the writes and one reads them back, whatever fails."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from itertools import groupby
from typing import Any

import pytest

from reconciler.simulator import Fault, Request
from tests.e2e.sandbox import Keys, Sandbox, item

NAMES = [f"e-{number:02}" for number in range(12)]


def declare(sandbox: Sandbox, *names: str, **fields: object) -> None:
    sandbox.declare(*(item(name, **fields) for name in names))


@pytest.fixture
def applied(sandbox: Sandbox) -> Sandbox:
    """Twelve endpoints that were applied."""
    declare(sandbox, *NAMES)
    sandbox.apply()
    return sandbox


def update(sandbox: Sandbox) -> None:
    declare(sandbox, *NAMES, port=9000)


def destroy(sandbox: Sandbox) -> None:
    declare(sandbox)


def run(sandbox: Sandbox, before: Callable[[], object] = lambda: None) -> dict[str, str]:
    """Apply, with `before` between plan and approval. Return the outcomes."""
    ran = sandbox.run("apply", "--json", "--allow-delete", "12", typed=Keys("yes\n", before=before))
    return {one["address"].split(".")[1]: one["outcome"] for one in ran.document["results"]}


DONE = dict.fromkeys(NAMES, "done")
PAGES = 2
"""Requests of a listing: the page, and the one past the end."""


@pytest.mark.parametrize("change", [update, destroy])
def test_one_listing_looks_and_one_reads_back(applied: Sandbox, change: Callable[[Sandbox], None]) -> None:
    change(applied)
    start = len(applied.sim.requests)
    assert run(applied) == DONE
    beside = ("limit", "market_products", "balance")
    operations = [one.operation for one in applied.sim.requests[start:] if one.operation not in beside]
    assert [operation for operation, _ in groupby(operations)] == [
        "list",  # plan and look
        "update" if change is update else "delete",
        "list",
    ]
    assert operations.count("list") == 3 * PAGES, "plan, look, read-back"
    assert applied.plan().code == 0
    assert (set(applied.inventory), set(applied.live())) == (
        (set(NAMES),) * 2 if change is update else (set(),) * 2
    )


@pytest.mark.parametrize("behind", ["list_behind_seconds", "get_behind_seconds"])
@pytest.mark.parametrize("change", [update, destroy])
def test_a_read_that_is_behind_is_not_believed(
    applied: Sandbox, change: Callable[[Sandbox], None], behind: str
) -> None:
    """Whichever read shows the change first ends the wait; the result is the same."""
    change(applied)
    applied.sim.world.switch(**{behind: 1.0})
    assert run(applied) == DONE
    applied.sim.world.switch(**{behind: 0.0})
    assert applied.plan().code == 0


@pytest.mark.parametrize("lag", [1.0, 3.0])
def test_changes_that_show_late_are_polled_together(applied: Sandbox, lag: float) -> None:
    """Listings and one read beside each, not a read of every endpoint each time."""
    update(applied)
    applied.sim.world.switch(update_lag_seconds=lag)
    assert run(applied) == DONE
    assert len(applied.sent("get")) < 12 + 40
    assert len(applied.sent("update")) == 12


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="list", status=500),
        Fault(operation="list", status=429, times=2),
        Fault(operation="list", kind="lost_answer"),
        Fault(operation="list", kind="html"),
        Fault(operation="list", status=400, reason="SOMETHING_ELSE", times=None),
    ],
    ids=["500", "429", "lost", "html", "refused"],
)
@pytest.mark.parametrize("change", [update, destroy])
@pytest.mark.parametrize("when", ["look", "read-back"])
def test_a_listing_that_fails_is_made_up_for(
    applied: Sandbox, change: Callable[[Sandbox], None], when: str, fault: Fault
) -> None:
    """Everything is looked at and read back all the same, some of it by its ID."""
    change(applied)
    broken = lambda *_: applied.sim.faults.add(fault)  # noqa: E731
    if when == "read-back":
        applied.sim.faults.after(change.__name__.replace("destroy", "delete"), broken)
        assert run(applied) == DONE
    else:
        assert run(applied, broken) == DONE
    applied.sim.faults.clear()
    assert applied.plan().code == 0


@pytest.mark.parametrize("status", [500, 429])
def test_a_single_read_that_fails_is_repeated(applied: Sandbox, status: int) -> None:
    update(applied)
    applied.sim.faults.add(Fault(operation="get", status=status))
    applied.sim.world.switch(list_behind_seconds=60.0)
    assert run(applied) == DONE


def hide(response: dict[str, Any]) -> None:
    """Leave an endpoint out of a page whose total still counts it."""
    del response["endpoints"][3:4]


@pytest.mark.parametrize("change", [update, destroy])
def test_an_endpoint_that_the_listing_lacks_is_read_by_its_id(
    applied: Sandbox, change: Callable[[Sandbox], None]
) -> None:
    """It is neither taken for gone before its write nor after it."""
    change(applied)
    assert run(applied, lambda: applied.sim.faults.rewrite("list", hide)) == DONE
    applied.sim.faults.clear()
    assert applied.plan().code == 0
    assert len(applied.sent("get")) > 12, "besides those of the creates"


@pytest.mark.parametrize("change", [update, destroy])
def test_a_change_by_hand_between_plan_and_write(applied: Sandbox, change: Callable[[Sandbox], None]) -> None:
    """The listing right before the writes shows it, and the others go on."""
    change(applied)
    value = {"name": "theirs"} if change is destroy else {"ports": [{"port": 7000}]}
    found = run(applied, lambda: applied.sim.world.console_update(applied.id(NAMES[3]), **value))
    assert found == {**DONE, NAMES[3]: "failed"}
    assert len(applied.sent("update", "delete")) == 11


@pytest.mark.parametrize("change", [update, destroy])
def test_a_deletion_by_hand_between_plan_and_write(
    applied: Sandbox, change: Callable[[Sandbox], None]
) -> None:
    """An update of it has failed; a delete of it is done."""
    change(applied)
    found = run(applied, lambda: applied.sim.world.console_delete(applied.id(NAMES[3])))
    assert found == ({**DONE, NAMES[3]: "failed"} if change is update else DONE)
    assert len(applied.sent("update", "delete")) == 11


def test_another_endpoint_of_the_same_name_is_left_alone(applied: Sandbox) -> None:
    """It was deleted and made anew by somebody else: the new one has another ID."""
    destroy(applied)

    def make_anew() -> None:
        applied.sim.world.console_delete(applied.id(NAMES[3]))
        applied.sim.world.console_create(name=NAMES[3], appName="theirs")

    assert run(applied, make_anew) == DONE
    assert set(applied.live()) == {NAMES[3]}


def test_deleted_endpoints_that_stay_are_told(applied: Sandbox) -> None:
    """Deletes that were accepted without effect keep their records."""
    applied.monkeypatch.setattr("reconciler.model.durations.DELETE_TIMEOUT", 1.0)
    destroy(applied)
    applied.sim.world.switch(list_behind_seconds=60.0, get_behind_seconds=60.0)
    assert run(applied) == dict.fromkeys(NAMES, "failed")
    assert set(applied.inventory) == set(NAMES)


def test_a_value_that_is_kept_is_found_among_many(applied: Sandbox) -> None:
    applied.monkeypatch.setattr("reconciler.model.durations.VISIBLE_TIMEOUT", 1.0)
    applied.sim.world.switch(clamp={"workerConfig.freeTimeout": 1000})
    applied.declare(*(item(name, port=9000) for name in NAMES[1:]), item(NAMES[0], freeTimeout=2000))
    assert run(applied) == {**DONE, NAMES[0]: "failed"}


@pytest.mark.parametrize("change", [update, destroy])
@pytest.mark.parametrize("operation", ["write", "read-back"])
def test_a_kill_in_the_middle_of_a_batch_loses_nothing(
    applied: Sandbox, change: Callable[[Sandbox], None], operation: str
) -> None:
    """What was written without its record is found by the next run, and written by nobody again."""
    change(applied)
    write = "update" if change is update else "delete"
    command = ("apply", "--auto-approve", "--allow-delete", "12", "--parallelism", "2")
    if operation == "write":
        applied.killed(write, nth=7, command=command)
    else:
        applied.killed("list", nth=3 * PAGES, when="before", command=command)
    sent = len(applied.sent(write))
    assert sent in ((7, 8) if operation == "write" else (12,))
    left = str(len(applied.live()))
    assert applied.run("apply", "--yes", "--allow-delete", left).code == 0
    assert len(applied.sent(write)) <= 12 + 1, "one more for the call that the kill cut off"
    assert applied.plan().code == 0
    assert set(applied.live()) == set(applied.inventory) == (set(NAMES) if change is update else set())


@pytest.mark.parametrize("change", [update, destroy])
def test_an_interrupt_in_the_middle_of_a_batch(applied: Sandbox, change: Callable[[Sandbox], None]) -> None:
    """What was sent is read back and recorded; nothing else begins."""
    change(applied)
    write = "update" if change is update else "delete"
    told = threading.Event()

    def interrupt(_request: Request) -> None:
        applied.started[-1].send_signal(signal.SIGINT)
        assert told.wait(60)

    applied.sim.faults.before(write, interrupt, nth=5)
    process = applied.start("apply", "--auto-approve", "--json", "--allow-delete", "12", "--parallelism", "2")
    assert process.stdout is not None
    assert process.stderr is not None
    assert any("press Ctrl-C again" in line for line in iter(process.stderr.readline, ""))
    told.set()
    outcomes = [one["outcome"] for one in json.loads(process.stdout.read())["results"]]
    assert process.wait(60) == 130
    sent = len(applied.sent(write))
    assert sent < 12
    assert (outcomes.count("done"), outcomes.count("not attempted")) == (sent, 12 - sent)
    assert len(applied.plan().actions) == 12 - sent


def test_hundreds_of_changes_take_few_requests_besides_their_writes(sandbox: Sandbox) -> None:
    """At most a tenth of the changes, and the pages of one listing; for creates, updates and deletes."""
    names, pages = [f"e-{number:03}" for number in range(300)], 4
    for fields in ({}, {"port": 9000}, None):
        before = len(sandbox.sim.requests)
        declare(sandbox, *(names if fields is not None else ()), **(fields or {}))
        assert sandbox.run("apply", "--yes", "--allow-delete", "300").code == 0
        assert len(sandbox.sim.requests) - before <= 1.1 * len(names) + pages
        assert len(sandbox.live()) == len(sandbox.inventory) == (0 if fields is None else 300)
    assert sandbox.sent("get") == []
