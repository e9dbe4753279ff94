"""Performing a plan: consent, order, failures one by one, and no create twice."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.simulator import Fault, Request
from tests.e2e.sandbox import Keys, Sandbox, item


def outcomes(document: dict[str, object]) -> dict[str, str]:
    """Name -> outcome of the results in an apply document."""
    results = document["results"]
    assert isinstance(results, list)
    return {one["address"].removeprefix("novita_endpoint."): one["outcome"] for one in results}


def test_yes_is_consent(sandbox: Sandbox) -> None:
    """The plan is shown before the question, and exactly `yes` performs it."""
    sandbox.declare(item("chat"))
    ran = sandbox.run("apply", typed="yes\n")
    assert ran.code == 0
    assert "# novita_endpoint.chat will be created" in ran.out
    assert "Do you want to perform these actions?" in ran.err
    assert "Apply complete! Resources: 1 added, 0 changed, 0 destroyed." in ran.out
    assert set(sandbox.live()) == {"chat"}


@pytest.mark.parametrize("typed", ["no\n", "y\n", "YES\n", "yes please\n", "\n", ""])
def test_anything_else_is_not(sandbox: Sandbox, typed: str) -> None:
    """Any other answer, and the end of input, change nothing and exit 1."""
    sandbox.declare(item("chat"))
    before = sandbox.files()
    ran = sandbox.run("apply", typed=typed)
    assert ran.code == 1
    assert "nothing was changed" in ran.err
    assert "--auto-approve" in ran.err
    assert sandbox.sent() == []
    assert sandbox.files() == before


def test_nobody_is_asked_in_ci(sandbox: Sandbox) -> None:
    """With CI set and no terminal the question is not even asked."""
    sandbox.monkeypatch.setenv("CI", "true")
    sandbox.declare(item("chat"))
    ran = sandbox.run("apply", typed="yes\n")
    assert ran.code == 1
    assert "Enter a value" not in ran.err
    assert "there is no interactive input to approve the plan" in ran.err
    assert sandbox.sent() == []


def test_json_shows_what_is_asked_about(sandbox: Sandbox) -> None:
    """Without --auto-approve, --json still asks, with the plan on stderr; stdout stays one document."""
    sandbox.declare(item("chat"))
    refused = sandbox.run("apply", "--json", typed="no\n")
    assert refused.code == 1
    assert "# novita_endpoint.chat will be created" in refused.err
    assert refused.codes == ["not-approved"]
    assert refused.document["exit_code"] == 1
    agreed = sandbox.run("apply", "--json", typed="yes\n")
    assert agreed.code == 0
    assert outcomes(agreed.document) == {"chat": "done"}
    assert agreed.document["results"][0]["id"] == sandbox.id("chat")


def test_destroy_asks_too(sandbox: Sandbox) -> None:
    """Destroying has a question of its own, and the same answer."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    ran = sandbox.run("destroy", typed="no\n")
    assert ran.code == 1
    assert "Do you really want to destroy all resources?" in ran.err
    assert set(sandbox.live()) == {"chat"}
    ran = sandbox.run("destroy", typed="yes\n")
    assert ran.code == 0
    assert "Destroy complete! Resources: 1 destroyed." in ran.out


def test_nothing_to_do_asks_nothing(sandbox: Sandbox) -> None:
    """An empty plan needs no consent."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    ran = sandbox.run("apply")
    assert ran.code == 0
    assert "No changes." in ran.out
    assert ran.err == ""


def test_a_limit_is_a_warning(sandbox: Sandbox) -> None:
    """A value beyond the account's limits is told with the limit, and sent all the same."""
    sandbox.declare(item("chat", freeTimeout=5000))
    ran = sandbox.run("apply", "--auto-approve")
    assert ran.code == 0
    assert "Warning: freeTimeout 5000" in ran.err
    assert "1000" in ran.err


@pytest.mark.parametrize("parallelism", ["1", "10"])
def test_one_failure_stops_no_other(sandbox: Sandbox, parallelism: str) -> None:
    """Exit 4, a report of what was done and what failed and why, and the rest really done."""
    sandbox.declare(item("a"), item("b"), item("c"))
    sandbox.apply()
    sandbox.declare(item("b", replicas=2), item("c", replicas=2), item("d"), item("e"))

    sandbox.sim.faults.add(
        Fault(operation="update", status=400, reason="IMAGE_NOT_FOUND", message="no such image")
    )
    ran = sandbox.run("apply", "--auto-approve", "--parallelism", parallelism)
    assert ran.code == 4
    assert "Apply incomplete: 4 done, 1 failed." in ran.out
    assert "no such image" in ran.out
    assert set(sandbox.live()) == {"b", "c", "d", "e"}
    changed = {name for name, one in sandbox.live().items() if one["workerConfig"]["minNum"] == 2}
    assert len(changed) == 1
    left = sandbox.plan().actions
    assert set(left.values()) == {"scale"}
    assert set(left) == {"b", "c"} - changed
    sandbox.apply()
    assert sandbox.plan().code == 0


def test_a_failure_in_json(sandbox: Sandbox) -> None:
    """`apply --json` ends in one document with a result for every change."""
    sandbox.sim.faults.add(
        Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND", message="no such image")
    )
    sandbox.declare(item("a"), item("b"))
    ran = sandbox.run("apply", "--auto-approve", "--json", "--parallelism", "1")
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
        "id": sandbox.id("b"),
        "replaced_id": None,
        "url": f"{sandbox.sim.url}/run/{sandbox.id('b')}-b",
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
def test_a_create_whose_answer_was_lost(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    """It was made: it is found in the listing and recorded, and not made again."""
    sandbox.sim.faults.add(Fault(operation="create", **fault))
    sandbox.declare(item("chat"))
    ran = sandbox.apply()
    assert "looking for it in the listing" in ran.err
    assert len(sandbox.sent("create")) == 1
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat")
    assert sandbox.plan().code == 0


def test_a_create_whose_answer_was_lost_while_listings_lag(sandbox: Sandbox) -> None:
    """The look goes on for the settling time, so a listing that lags costs no duplicate."""
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 2}})
    sandbox.sim.world.switch(list_lag_seconds=0.6)
    sandbox.sim.faults.add(Fault(operation="create", kind="lost_answer"))
    sandbox.declare(item("chat"))
    sandbox.apply()
    assert len(sandbox.sent("create")) == 1
    assert len(sandbox.sim.world.endpoints) == 1


@pytest.mark.parametrize(
    "fault", [{"kind": "lost_request"}, {"kind": "reset"}, {"status": 500}, {"kind": "html_502"}]
)
def test_a_create_that_never_arrived(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    """It is sent again, but only after the listing was looked at."""
    sandbox.sim.faults.add(Fault(operation="create", **fault))
    sandbox.declare(item("chat"))
    sandbox.apply()
    calls = [one.operation for one in sandbox.sim.requests]
    first = calls.index("create")
    assert "list" in calls[first + 1 : calls.index("create", first + 1)]
    assert len(sandbox.sim.world.endpoints) == 1
    assert sandbox.plan().code == 0


def test_a_create_that_nobody_answers(sandbox: Sandbox) -> None:
    """After three tries and as many looks it has failed: exit 4, nothing made, nothing left open."""
    sandbox.sim.faults.add(Fault(operation="create", kind="lost_request", times=None))
    sandbox.declare(item("chat"))
    ran = sandbox.run("apply", "--auto-approve")
    assert ran.code == 4
    assert len(sandbox.sent("create")) == 3
    sandbox.sim.faults.clear()
    assert sandbox.plan().codes == []
    sandbox.apply()
    assert sandbox.plan().code == 0


def test_a_lost_create_that_somebody_changed(sandbox: Sandbox) -> None:
    """One new endpoint of that name, yet not as declared: exit 5 with its ID, and no second create."""
    sandbox.sim.faults.add(Fault(operation="create", kind="lost_answer"))
    sandbox.sim.faults.after(
        "create", lambda _: sandbox.sim.world.console_update(sandbox.id("chat"), ports=[{"port": 9999}])
    )
    sandbox.declare(item("chat"), item("embed"))
    ran = sandbox.run("apply", "--auto-approve", "--parallelism", "1")
    assert ran.code == 5
    assert sandbox.id("chat") in ran.out
    assert "1 done, 1 unresolved" in ran.out
    assert [json.loads(one.body)["endpoint"]["name"] for one in sandbox.sent("create")] == ["chat", "embed"]
    again = sandbox.run("apply", "--auto-approve")
    assert again.code == 5, "it is looked at again, and left to the user"
    assert len(sandbox.sent("create")) == 2


@pytest.mark.parametrize(
    "fault", [{"kind": "lost_answer"}, {"kind": "lost_request"}, {"status": 502}, {"status": 429}]
)
@pytest.mark.parametrize("operation", ["update", "delete"])
def test_updates_and_deletes_are_tried_again(sandbox: Sandbox, operation: str, fault: dict[str, Any]) -> None:
    """What does the same when sent twice is sent twice."""
    sandbox.declare(item("chat"), item("old"))
    sandbox.apply()
    sandbox.sim.faults.add(Fault(operation=operation, **fault))
    sandbox.declare(item("chat", replicas=2))
    sandbox.apply()
    assert sandbox.plan().code == 0
    assert set(sandbox.live()) == {"chat"}
    assert len(sandbox.sent(operation)) == 2


def test_too_many_requests_are_waited_out(sandbox: Sandbox) -> None:
    """429 was acted upon by nobody, so even a create is sent again."""
    sandbox.sim.faults.add(Fault(operation="create", status=429, times=2))
    sandbox.declare(item("chat"))
    sandbox.apply()
    assert len(sandbox.sim.world.endpoints) == 1


def test_a_key_refused_midway_stops_the_rest(sandbox: Sandbox) -> None:
    """No other change could do better: exit 8, what was done is recorded, what was not is said."""
    sandbox.sim.faults.before("create", lambda _: sandbox.sim.world.switch(api_key="another"), nth=2)
    sandbox.declare(*(item(f"e{number}") for number in range(5)))
    ran = sandbox.run("apply", "--auto-approve", "--parallelism", "1")
    assert ran.code == 8
    assert "1 done, 1 failed, 3 not attempted" in ran.out
    assert ran.out.count("Invalid API key") == 1
    assert set(sandbox.inventory) == {"e0"}
    assert len(sandbox.sent("create")) == 2
    sandbox.sim.world.switch(api_key=None)
    sandbox.apply()
    assert sandbox.plan().code == 0


def late(sandbox: Sandbox, change: Callable[[], object]) -> Keys:
    """A `yes` that comes after `change` has happened."""
    return Keys("yes\n", before=change)


def test_a_change_between_plan_and_write(sandbox: Sandbox) -> None:
    """Consent was for another difference: that change fails with `moved`, the others go on."""
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    sandbox.declare(item("a", replicas=2), item("b", replicas=2), item("c"))
    somebody = late(
        sandbox, lambda: sandbox.sim.world.console_update(sandbox.id("a"), ports=[{"port": 9000}])
    )
    ran = sandbox.run("apply", "--json", typed=somebody)
    assert ran.code == 4
    assert outcomes(ran.document) == {"a": "failed", "b": "done", "c": "done"}
    assert ran.document["results"][0]["problem"]["code"] == "moved-since-plan"
    assert sandbox.live()["a"]["workerConfig"]["minNum"] == 1
    assert len(sandbox.sent("update")) == 1
    sandbox.apply()
    assert sandbox.plan().code == 0


def test_a_deletion_between_plan_and_write(sandbox: Sandbox) -> None:
    """An endpoint that is gone when its update comes is told as moved; the next plan creates it."""
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    sandbox.declare(item("a", replicas=2), item("b", specName="large"))

    def delete_all() -> None:
        for one in sandbox.sim.world.endpoints:
            sandbox.sim.world.console_delete(one["id"])

    ran = sandbox.run("apply", "--json", typed=late(sandbox, delete_all))
    assert ran.code == 4
    assert outcomes(ran.document) == {"a": "failed", "b": "failed"}
    assert sandbox.sent("update") == []
    assert sandbox.plan().actions == {"a": "create", "b": "create"}


def test_a_delete_of_what_is_gone_already_is_done(sandbox: Sandbox) -> None:
    """The wish was that it be gone."""
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    sandbox.declare(item("a"))
    ran = sandbox.run("apply", typed=late(sandbox, lambda: sandbox.sim.world.console_delete(sandbox.id("b"))))
    assert ran.code == 0
    assert set(sandbox.inventory) == {"a"}


def test_a_delete_of_what_bears_another_name_now(sandbox: Sandbox) -> None:
    """An endpoint renamed after the plan is somebody's: it is not deleted."""
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    sandbox.declare(item("a"))
    renamed = late(sandbox, lambda: sandbox.sim.world.console_update(sandbox.id("b"), name="theirs"))
    ran = sandbox.run("apply", typed=renamed)
    assert ran.code == 4
    assert set(sandbox.live()) == {"a", "theirs"}
    assert sandbox.sent("delete") == []


def test_another_run_while_the_answer_is_awaited(sandbox: Sandbox) -> None:
    """An inventory that changed meanwhile means a new plan, shown and asked about anew."""
    sandbox.declare(item("a"))

    def other_run() -> None:
        assert sandbox.process("apply", "--auto-approve").code == 0
        sandbox.declare(item("a"), item("b"))

    ran = sandbox.run("apply", typed=Keys("yes\nyes\n", before=once(other_run)))
    assert ran.code == 0
    assert ran.err.count("Enter a value:") == 2
    assert "The account or the inventory has changed in the meantime" in ran.err
    assert len(sandbox.sent("create")) == 2
    assert set(sandbox.inventory) == {"a", "b"}


def once(action: Callable[[], object]) -> Callable[[], object]:
    calls = iter([action])
    return lambda: next(calls, lambda: None)()


def test_a_failed_replacement_says_what_is_gone(sandbox: Sandbox) -> None:
    """The old one is deleted, the new one refused: the record is dropped and the next plan creates."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare(item("chat", specName="large"))
    sandbox.sim.faults.add(Fault(operation="create", status=400, reason="INSUFFICIENT_RESOURCE"))
    ran = sandbox.run("apply", "--auto-approve")
    assert ran.code == 4
    assert sandbox.inventory == {}
    assert sandbox.plan().actions == {"chat": "create"}
    sandbox.apply()
    assert sandbox.plan().code == 0


def test_changes_run_in_parallel(sandbox: Sandbox) -> None:
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

    sandbox.sim.faults.before("create", enter, nth=0)
    sandbox.declare(*(item(f"e{number}") for number in range(10)))
    sandbox.apply("--parallelism", "5")
    assert most == 5
    assert len(sandbox.live()) == 10


def test_the_lock_of_another_process(sandbox: Sandbox) -> None:
    """While one run writes, another one exits 7 without a write and says who holds the lock."""
    sandbox.declare(item("a"))
    entered, leave = threading.Event(), threading.Event()

    def hold(_request: Request) -> None:
        entered.set()
        leave.wait(20)

    sandbox.sim.faults.before("create", hold)
    process = sandbox.start("apply", "--auto-approve")
    assert entered.wait(60)
    sandbox.declare(item("a"), item("b"))
    before = sandbox.files()
    ran = sandbox.run("apply", "--auto-approve")
    planned = sandbox.plan()
    untouched = sandbox.files() == before
    leave.set()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert ran.code == 7
    assert f"\n  pid: {process.pid}\n" in ran.err
    assert "\n  who: " in ran.err
    assert "reconciler apply" in ran.err
    assert untouched
    assert planned.code == 2, "plan locks nothing and is not locked out"
    assert [json.loads(one.body)["endpoint"]["name"] for one in sandbox.sent("create")] == ["a"]


def test_the_lock_may_be_waited_for(sandbox: Sandbox) -> None:
    """--lock-timeout takes seconds, also in the spelling of the hint (`60s`)."""
    sandbox.declare(item("a"))
    leave, entered = threading.Event(), threading.Event()

    def hold(_request: Request) -> None:
        entered.set()
        leave.wait(20)

    sandbox.sim.faults.before("create", hold)
    process = sandbox.start("apply", "--auto-approve")
    assert entered.wait(60)
    threading.Timer(0.3, leave.set).start()
    ran = sandbox.run("apply", "--auto-approve", "--lock-timeout", "60s")
    process.communicate(timeout=60)
    assert ran.code == 0, ran.err
    assert len(sandbox.sent("create")) == 1


def test_a_namesake_that_came_first(sandbox: Sandbox) -> None:
    """Somebody took the app name while the answer was awaited: refused, and the next plan adopts."""
    sandbox.declare(item("chat"))
    typed = late(sandbox, lambda: sandbox.sim.world.console_create(name="chat", appName="chat"))
    ran = sandbox.run("apply", "--json", typed=typed)
    assert ran.code == 4
    assert ran.document["results"][0]["problem"]["code"] == "conflict"
    assert len(sandbox.sim.world.endpoints) == 1
    assert set(sandbox.plan().actions.values()) == {"adopt"}


def test_an_app_name_that_is_not_free_yet(sandbox: Sandbox) -> None:
    """The name of the endpoint that a replacement deleted is waited for, and said to be."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare(item("chat", specName="large"))
    sandbox.sim.faults.add(Fault(operation="create", status=400, reason="SERVERLESS_APP_NAME_IS_EXIST"))
    ran = sandbox.apply()
    assert "its app name is still taken by the one just deleted" in ran.err
    assert sandbox.plan().code == 0


def test_a_lost_create_that_cannot_be_looked_for(sandbox: Sandbox) -> None:
    """When the listing fails too, nobody can say whether it happened: exit 5, and the next run finds it."""
    sandbox.sim.faults.add(Fault(operation="create", kind="lost_answer"))
    sandbox.sim.faults.before(
        "create", lambda _: sandbox.sim.faults.add(Fault(operation="list", kind="html", times=None))
    )
    sandbox.declare(item("chat"))
    ran = sandbox.run("apply", "--auto-approve", "--json")
    assert ran.code == 5
    assert outcomes(ran.document) == {"chat": "unresolved"}
    sandbox.sim.faults.clear()
    planned = sandbox.plan()
    assert planned.actions == {}, "it was made: there is nothing to do but to record it"
    assert planned.codes == ["open-create"]
    sandbox.apply()
    assert len(sandbox.sent("create")) == 1
    assert sandbox.plan().codes == []


def test_a_lost_create_that_keeps_an_ignored_app_name(sandbox: Sandbox) -> None:
    """A replacement takes the live value of what is ignored, and is recognised by that."""
    sandbox.declare(item("chat", appName="chat-1"))
    sandbox.apply()
    ignoring = {"lifecycle": {"ignoreChanges": ["appName"]}}
    sandbox.declare(item("chat", appName="chat-2", specName="large", **ignoring))
    sandbox.sim.faults.add(Fault(operation="create", kind="lost_answer"))
    sandbox.apply()
    assert sandbox.live()["chat"]["appName"] == "chat-1"
    assert len(sandbox.sent("create")) == 2
    assert sandbox.plan().code == 0
