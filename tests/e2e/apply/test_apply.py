"""Performing a plan: consent, order, failures one by one, and no create twice."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.simulator import Fault, Request
from tests.e2e.desk import Keys, Sandbox, item


def outcomes(document: dict[str, object]) -> dict[str, str]:
    """Name -> outcome of the results in an apply document."""
    results = document["results"]
    assert isinstance(results, list)
    return {one["address"].removeprefix("novita_endpoint."): one["outcome"] for one in results}


def test_yes_is_consent(desk: Sandbox) -> None:
    """The plan is shown before the question, and exactly `yes` performs it."""
    desk.declare(item("chat"))
    ran = desk.run("apply", typed="yes\n")
    assert ran.code == 0
    assert "# novita_endpoint.chat will be created" in ran.out
    assert "Do you want to perform these actions?" in ran.err
    assert "Apply complete! Resources: 1 added, 0 changed, 0 destroyed." in ran.out
    assert set(desk.live()) == {"chat"}


@pytest.mark.parametrize("typed", ["no\n", "y\n", "YES\n", "yes please\n", "\n", ""])
def test_anything_else_is_not(desk: Sandbox, typed: str) -> None:
    """Any other answer, and the end of input, change nothing and exit 1."""
    desk.declare(item("chat"))
    before = desk.files()
    ran = desk.run("apply", typed=typed)
    assert ran.code == 1
    assert "nothing was changed" in ran.err
    assert "--auto-approve" in ran.err
    assert desk.sent() == []
    assert desk.files() == before


def test_nobody_is_asked_in_ci(desk: Sandbox) -> None:
    """With CI set and no terminal the question is not even asked."""
    desk.monkeypatch.setenv("CI", "true")
    desk.declare(item("chat"))
    ran = desk.run("apply", typed="yes\n")
    assert ran.code == 1
    assert "Enter a value" not in ran.err
    assert "there is no interactive input to approve the plan" in ran.err
    assert desk.sent() == []


def test_json_shows_what_is_asked_about(desk: Sandbox) -> None:
    """Without --auto-approve, --json still asks, with the plan on stderr; stdout stays one document."""
    desk.declare(item("chat"))
    refused = desk.run("apply", "--json", typed="no\n")
    assert refused.code == 1
    assert "# novita_endpoint.chat will be created" in refused.err
    assert refused.codes == ["not-approved"]
    assert refused.document["exit_code"] == 1
    agreed = desk.run("apply", "--json", typed="yes\n")
    assert agreed.code == 0
    assert outcomes(agreed.document) == {"chat": "done"}
    assert agreed.document["results"][0]["id"] == desk.id("chat")


def test_destroy_asks_too(desk: Sandbox) -> None:
    """Destroying has a question of its own, and the same answer."""
    desk.declare(item("chat"))
    desk.apply()
    ran = desk.run("destroy", typed="no\n")
    assert ran.code == 1
    assert "Do you really want to destroy all resources?" in ran.err
    assert set(desk.live()) == {"chat"}
    ran = desk.run("destroy", typed="yes\n")
    assert ran.code == 0
    assert "Destroy complete! Resources: 1 destroyed." in ran.out


def test_nothing_to_do_asks_nothing(desk: Sandbox) -> None:
    """An empty plan needs no consent."""
    desk.declare(item("chat"))
    desk.apply()
    ran = desk.run("apply")
    assert ran.code == 0
    assert "No changes." in ran.out
    assert ran.err == ""


def test_a_limit_is_a_warning(desk: Sandbox) -> None:
    """A value beyond the account's limits is told with the limit, and sent all the same."""
    desk.declare(item("chat", freeTimeout=5000))
    ran = desk.run("apply", "--auto-approve")
    assert ran.code == 0
    assert "Warning: workerConfig.freeTimeout 5000" in ran.err
    assert "1000" in ran.err


@pytest.mark.parametrize("parallelism", ["1", "10"])
def test_one_failure_stops_no_other(desk: Sandbox, parallelism: str) -> None:
    """Exit 4, a report of what was done and what failed and why, and the rest really done."""
    desk.declare(item("a"), item("b"), item("c"))
    desk.apply()
    desk.declare(item("b", replicas=2), item("c", replicas=2), item("d"), item("e"))

    desk.sim.faults.add(
        Fault(operation="update", status=400, reason="IMAGE_NOT_FOUND", message="no such image")
    )
    ran = desk.run("apply", "--auto-approve", "--parallelism", parallelism)
    assert ran.code == 4
    assert "Apply incomplete: 4 done, 1 failed." in ran.out
    assert "no such image" in ran.out
    assert set(desk.live()) == {"b", "c", "d", "e"}
    changed = {name for name, one in desk.live().items() if one["workerConfig"]["minNum"] == 2}
    assert len(changed) == 1
    left = desk.plan().actions
    assert set(left.values()) == {"scale"}
    assert set(left) == {"b", "c"} - changed
    desk.apply()
    assert desk.plan().code == 0


def test_a_failure_in_json(desk: Sandbox) -> None:
    """`apply --json` ends in one document with a result for every change."""
    desk.sim.faults.add(
        Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND", message="no such image")
    )
    desk.declare(item("a"), item("b"))
    ran = desk.run("apply", "--auto-approve", "--json", "--parallelism", "1")
    assert ran.code == 4
    assert ran.document["exit_code"] == 4
    assert outcomes(ran.document) == {"a": "failed", "b": "done"}
    first, second = ran.document["results"]
    assert "no such image" in json.dumps(first["problem"])
    assert first["id"] is None
    assert second == {
        "address": "novita_endpoint.b",
        "action": "create",
        "outcome": "done",
        "id": desk.id("b"),
        "seconds": second["seconds"],
        "problem": None,
    }


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "lost_answer"},
        {"kind": "truncated"},
        {"kind": "status_after", "status": 504},
    ],
)
def test_a_create_whose_answer_was_lost(desk: Sandbox, fault: dict[str, Any]) -> None:
    """It was made: it is found in the listing and recorded, and not made again."""
    desk.sim.faults.add(Fault(operation="create", **fault))
    desk.declare(item("chat"))
    ran = desk.apply()
    assert "looking for it in the listing" in ran.err
    assert len(desk.sent("create")) == 1
    assert desk.inventory["chat"]["id"] == desk.id("chat")
    assert desk.plan().code == 0


def test_a_create_whose_answer_was_lost_while_listings_lag(desk: Sandbox) -> None:
    """The look goes on for the settling time, so a listing that lags costs no duplicate."""
    desk.write("config.yaml", {"novita": {"settle_seconds": 2}})
    desk.sim.world.switch(list_lag_seconds=0.6)
    desk.sim.faults.add(Fault(operation="create", kind="lost_answer"))
    desk.declare(item("chat"))
    desk.apply()
    assert len(desk.sent("create")) == 1
    assert len(desk.sim.world.endpoints) == 1


@pytest.mark.parametrize(
    "fault", [{"kind": "lost_request"}, {"kind": "reset"}, {"status": 500}, {"kind": "html_502"}]
)
def test_a_create_that_never_arrived(desk: Sandbox, fault: dict[str, Any]) -> None:
    """It is sent again, but only after the listing was looked at."""
    desk.sim.faults.add(Fault(operation="create", **fault))
    desk.declare(item("chat"))
    desk.apply()
    calls = [one.operation for one in desk.sim.requests]
    first = calls.index("create")
    assert "list" in calls[first + 1 : calls.index("create", first + 1)]
    assert len(desk.sim.world.endpoints) == 1
    assert desk.plan().code == 0


def test_a_create_that_nobody_answers(desk: Sandbox) -> None:
    """After three tries and as many looks it has failed: exit 4, nothing made, nothing left open."""
    desk.sim.faults.add(Fault(operation="create", kind="lost_request", times=None))
    desk.declare(item("chat"))
    ran = desk.run("apply", "--auto-approve")
    assert ran.code == 4
    assert len(desk.sent("create")) == 3
    desk.sim.faults.clear()
    assert desk.plan().codes == []
    desk.apply()
    assert desk.plan().code == 0


def test_a_lost_create_that_somebody_changed(desk: Sandbox) -> None:
    """One new endpoint of that name, yet not as declared: exit 5 with its ID, and no second create."""
    desk.sim.faults.add(Fault(operation="create", kind="lost_answer"))
    desk.sim.faults.after(
        "create", lambda _: desk.sim.world.console_update(desk.id("chat"), ports=[{"port": 9999}])
    )
    desk.declare(item("chat"), item("embed"))
    ran = desk.run("apply", "--auto-approve", "--parallelism", "1")
    assert ran.code == 5
    assert desk.id("chat") in ran.out
    assert "1 done, 1 unresolved" in ran.out
    assert [json.loads(one.body)["endpoint"]["name"] for one in desk.sent("create")] == ["chat", "embed"]
    again = desk.run("apply", "--auto-approve")
    assert again.code == 5, "it is looked at again, and left to the user"
    assert len(desk.sent("create")) == 2


@pytest.mark.parametrize(
    "fault", [{"kind": "lost_answer"}, {"kind": "lost_request"}, {"status": 502}, {"status": 429}]
)
@pytest.mark.parametrize("operation", ["update", "delete"])
def test_updates_and_deletes_are_tried_again(desk: Sandbox, operation: str, fault: dict[str, Any]) -> None:
    """What does the same when sent twice is sent twice."""
    desk.declare(item("chat"), item("old"))
    desk.apply()
    desk.sim.faults.add(Fault(operation=operation, **fault))
    desk.declare(item("chat", replicas=2))
    desk.apply()
    assert desk.plan().code == 0
    assert set(desk.live()) == {"chat"}
    assert len(desk.sent(operation)) == 2


def test_too_many_requests_are_waited_out(desk: Sandbox) -> None:
    """429 was acted upon by nobody, so even a create is sent again."""
    desk.sim.faults.add(Fault(operation="create", status=429, times=2))
    desk.declare(item("chat"))
    desk.apply()
    assert len(desk.sim.world.endpoints) == 1


def test_a_key_refused_midway_stops_the_rest(desk: Sandbox) -> None:
    """No other change could do better: exit 8, what was done is recorded, what was not is said."""
    desk.sim.faults.before("create", lambda _: desk.sim.world.switch(api_key="another"), nth=2)
    desk.declare(*(item(f"e{number}") for number in range(5)))
    ran = desk.run("apply", "--auto-approve", "--parallelism", "1")
    assert ran.code == 8
    assert "1 done, 1 failed, 3 not attempted" in ran.out
    assert ran.out.count("Invalid API key") == 1
    assert set(desk.inventory) == {"e0"}
    assert len(desk.sent("create")) == 2
    desk.sim.world.switch(api_key=None)
    desk.apply()
    assert desk.plan().code == 0


def late(desk: Sandbox, change: Callable[[], object]) -> Keys:
    """A `yes` that comes after `change` has happened."""
    return Keys("yes\n", before=change)


def test_a_change_between_plan_and_write(desk: Sandbox) -> None:
    """Consent was for another difference: that change fails with `moved`, the others go on."""
    desk.declare(item("a"), item("b"))
    desk.apply()
    desk.declare(item("a", replicas=2), item("b", replicas=2), item("c"))
    somebody = late(desk, lambda: desk.sim.world.console_update(desk.id("a"), ports=[{"port": 9000}]))
    ran = desk.run("apply", "--json", typed=somebody)
    assert ran.code == 4
    assert outcomes(ran.document) == {"a": "failed", "b": "done", "c": "done"}
    assert ran.document["results"][0]["problem"]["code"] == "moved-since-plan"
    assert desk.live()["a"]["workerConfig"]["minNum"] == 1
    assert len(desk.sent("update")) == 1
    desk.apply()
    assert desk.plan().code == 0


def test_a_deletion_between_plan_and_write(desk: Sandbox) -> None:
    """An endpoint that is gone when its update comes is told as moved; the next plan creates it."""
    desk.declare(item("a"), item("b"))
    desk.apply()
    desk.declare(item("a", replicas=2), item("b", specName="large"))

    def delete_all() -> None:
        for one in desk.sim.world.endpoints:
            desk.sim.world.console_delete(one["id"])

    ran = desk.run("apply", "--json", typed=late(desk, delete_all))
    assert ran.code == 4
    assert outcomes(ran.document) == {"a": "failed", "b": "failed"}
    assert desk.sent("update") == []
    assert desk.plan().actions == {"a": "create", "b": "create"}


def test_a_delete_of_what_is_gone_already_is_done(desk: Sandbox) -> None:
    """The wish was that it be gone."""
    desk.declare(item("a"), item("b"))
    desk.apply()
    desk.declare(item("a"))
    ran = desk.run("apply", typed=late(desk, lambda: desk.sim.world.console_delete(desk.id("b"))))
    assert ran.code == 0
    assert set(desk.inventory) == {"a"}


def test_a_delete_of_what_bears_another_name_now(desk: Sandbox) -> None:
    """An endpoint renamed after the plan is somebody's: it is not deleted."""
    desk.declare(item("a"), item("b"))
    desk.apply()
    desk.declare(item("a"))
    renamed = late(desk, lambda: desk.sim.world.console_update(desk.id("b"), name="theirs"))
    ran = desk.run("apply", typed=renamed)
    assert ran.code == 4
    assert set(desk.live()) == {"a", "theirs"}
    assert desk.sent("delete") == []


def test_another_run_while_the_answer_is_awaited(desk: Sandbox) -> None:
    """An inventory that changed meanwhile means a new plan, shown and asked about anew."""
    desk.declare(item("a"))

    def other_run() -> None:
        assert desk.process("apply", "--auto-approve").code == 0
        desk.declare(item("a"), item("b"))

    ran = desk.run("apply", typed=Keys("yes\nyes\n", before=once(other_run)))
    assert ran.code == 0
    assert ran.err.count("Enter a value:") == 2
    assert "The account or the inventory has changed in the meantime" in ran.err
    assert len(desk.sent("create")) == 2
    assert set(desk.inventory) == {"a", "b"}


def once(action: Callable[[], object]) -> Callable[[], object]:
    calls = iter([action])
    return lambda: next(calls, lambda: None)()


def test_a_failed_replacement_says_what_is_gone(desk: Sandbox) -> None:
    """The old one is deleted, the new one refused: the record is dropped and the next plan creates."""
    desk.declare(item("chat"))
    desk.apply()
    desk.declare(item("chat", specName="large"))
    desk.sim.faults.add(Fault(operation="create", status=400, reason="INSUFFICIENT_RESOURCE"))
    ran = desk.run("apply", "--auto-approve")
    assert ran.code == 4
    assert desk.inventory == {}
    assert desk.plan().actions == {"chat": "create"}
    desk.apply()
    assert desk.plan().code == 0


def test_changes_run_in_parallel(desk: Sandbox) -> None:
    """Ten creates are under way at once, and never more than --parallelism."""
    under_way, most, lock = 0, 0, threading.Lock()
    full = threading.Barrier(5)

    def enter(_request: Request) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        full.wait(10)
        with lock:
            under_way -= 1

    desk.sim.faults.before("create", enter, nth=0)
    desk.declare(*(item(f"e{number}") for number in range(10)))
    desk.apply("--parallelism", "5")
    assert most == 5
    assert len(desk.live()) == 10


def test_the_lock_of_another_process(desk: Sandbox) -> None:
    """While one run writes, another one exits 7 without a write and says who holds the lock."""
    desk.declare(item("a"))
    entered, leave = threading.Event(), threading.Event()

    def hold(_request: Request) -> None:
        entered.set()
        leave.wait(20)

    desk.sim.faults.before("create", hold)
    process = desk.start("apply", "--auto-approve")
    assert entered.wait(20)
    desk.declare(item("a"), item("b"))
    before = desk.files()
    ran = desk.run("apply", "--auto-approve")
    planned = desk.plan()
    untouched = desk.files() == before
    leave.set()
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert ran.code == 7
    assert f"\n  pid: {process.pid}\n" in ran.err
    assert "\n  who: " in ran.err
    assert "reconciler apply" in ran.err
    assert untouched
    assert planned.code == 2, "plan locks nothing and is not locked out"
    assert [json.loads(one.body)["endpoint"]["name"] for one in desk.sent("create")] == ["a"]


def test_the_lock_may_be_waited_for(desk: Sandbox) -> None:
    """--lock-timeout takes seconds, also in the spelling of the hint (`60s`)."""
    desk.declare(item("a"))
    leave, entered = threading.Event(), threading.Event()

    def hold(_request: Request) -> None:
        entered.set()
        leave.wait(20)

    desk.sim.faults.before("create", hold)
    process = desk.start("apply", "--auto-approve")
    assert entered.wait(20)
    threading.Timer(0.3, leave.set).start()
    ran = desk.run("apply", "--auto-approve", "--lock-timeout", "60s")
    process.communicate(timeout=20)
    assert ran.code == 0, ran.err
    assert len(desk.sent("create")) == 1


def test_a_namesake_that_came_first(desk: Sandbox) -> None:
    """Somebody took the app name while the answer was awaited: refused, and the next plan adopts."""
    desk.declare(item("chat"))
    typed = late(desk, lambda: desk.sim.world.console_create(name="chat", appName="chat"))
    ran = desk.run("apply", "--json", typed=typed)
    assert ran.code == 4
    assert ran.document["results"][0]["problem"]["code"] == "conflict"
    assert len(desk.sim.world.endpoints) == 1
    assert set(desk.plan().actions.values()) == {"adopt"}


def test_an_app_name_that_is_not_free_yet(desk: Sandbox) -> None:
    """The name of the endpoint that a replacement deleted is waited for, and said to be."""
    desk.declare(item("chat"))
    desk.apply()
    desk.declare(item("chat", specName="large"))
    desk.sim.faults.add(Fault(operation="create", status=400, reason="SERVERLESS_APP_NAME_IS_EXIST"))
    ran = desk.apply()
    assert "its app name is still taken by the one just deleted" in ran.err
    assert desk.plan().code == 0


def test_a_lost_create_that_cannot_be_looked_for(desk: Sandbox) -> None:
    """When the listing fails too, nobody can say whether it happened: exit 5, and the next run finds it."""
    desk.sim.faults.add(Fault(operation="create", kind="lost_answer"))
    desk.sim.faults.before(
        "create", lambda _: desk.sim.faults.add(Fault(operation="list", kind="html", times=None))
    )
    desk.declare(item("chat"))
    ran = desk.run("apply", "--auto-approve", "--json")
    assert ran.code == 5
    assert outcomes(ran.document) == {"chat": "unresolved"}
    desk.sim.faults.clear()
    planned = desk.plan()
    assert planned.actions == {}, "it was made: there is nothing to do but to record it"
    assert planned.codes == ["open-create"]
    desk.apply()
    assert len(desk.sent("create")) == 1
    assert desk.plan().codes == []


def test_a_lost_create_that_keeps_an_ignored_app_name(desk: Sandbox) -> None:
    """A replacement takes the live value of what is ignored, and is recognised by that."""
    desk.declare(item("chat", appName="chat-1"))
    desk.apply()
    ignoring = {"lifecycle": {"ignoreChanges": ["appName"]}}
    desk.declare(item("chat", appName="chat-2", specName="large", **ignoring))
    desk.sim.faults.add(Fault(operation="create", kind="lost_answer"))
    desk.apply()
    assert desk.live()["chat"]["appName"] == "chat-1"
    assert len(desk.sent("create")) == 2
    assert desk.plan().code == 0
