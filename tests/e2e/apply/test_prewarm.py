"""`prewarm: true`: a new image is warmed before its endpoint is changed, and never fails an apply."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from reconciler.simulator import Fault, Request
from tests.e2e.sandbox import ROOT, SPECS, Sandbox, item

IMAGE = "registry.example.com/team/llm:1"
NEXT = "registry.example.com/team/llm:2"
PREWARM = "/image/prewarm"
OTHERS = {"imageUrl": "other:1", "clusterId": "us-dallas-nas-2", "note": "by hand"}


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """A sandbox that polls ten times a second."""
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 0.2, "poll_interval": 0.1}})
    return sandbox


def warmed(name: str = "chat", image: str = IMAGE, **fields: Any) -> dict[str, Any]:
    return item(name, image=image, prewarm=True, **fields)


def api(sandbox: Sandbox, method: str, path: str, payload: Any = None) -> Any:
    """Call the simulated API as another user does, outside of the log of requests."""
    body = b"" if payload is None else json.dumps(payload).encode()
    path = "/gpu-instance/openapi/v1" + path
    request = Request(method=method, path=path, headers={"authorization": "Bearer other"}, body=body)
    return json.loads(sandbox.sim.world.handle(request).body)


def tasks(sandbox: Sandbox) -> list[dict[str, Any]]:
    return list(api(sandbox, "GET", PREWARM)["data"])


def workers(sandbox: Sandbox) -> dict[str, list[str]]:
    """Return the states of the workers of each endpoint."""
    endpoints = api(sandbox, "GET", "/endpoints")["endpoints"]
    return {one["name"]: [worker["state"]["state"] for worker in one["workers"]] for one in endpoints}


def warnings(sandbox: Sandbox, *args: str) -> list[str]:
    """Return the warnings of an apply that succeeds with one change."""
    ran = sandbox.run("apply", "--auto-approve", "--json", *args)
    document = ran.document
    assert (ran.code, [one["outcome"] for one in document["results"]]) == (0, ["done"]), ran.err
    return [one["summary"] for one in document["problems"] if one["code"] == "not-warmed"]


def test_a_new_image_is_warmed_before_the_endpoint_is_made(sandbox: Sandbox) -> None:
    """The plan says so, the progress shows it, and the workers of the endpoint boot fast."""
    sandbox.sim.world.switch(prewarm_seconds=0.3, worker_boot_seconds=1000, warm_boot_share=0)
    sandbox.declare(
        warmed(minReplicas=1), warmed("chat-2", minReplicas=1), item("plain", minReplicas=1, maxReplicas=1)
    )
    planned = sandbox.run("plan")
    assert (
        "1 image is warmed before the endpoints are changed, for at most 10 minutes\n"
        f"  {IMAGE} in us-dallas-nas-2 for chat, chat-2"
    ) in planned.out + planned.err
    assert "prewarm_create" not in sandbox.operations
    ran = sandbox.apply()
    label = f"{IMAGE} in us-dallas-nas-2"
    assert f"{label}: Warming...\n" in ran.err
    assert f"{label}: Warm after " in ran.err
    order = [one.operation for one in sandbox.sent("prewarm_create", "create")]
    assert order == ["prewarm_create", "create", "create", "create"]
    [task] = tasks(sandbox)
    assert (task["note"], task["products"], task["state"]) == (
        "warmed by reconciler: chat, chat-2",
        [],
        "Succeeded",
    )
    assert workers(sandbox) == {"chat": ["running"], "chat-2": ["running"], "plain": ["pending"]}


def test_only_a_new_image_or_a_new_region_is_warmed(sandbox: Sandbox) -> None:
    """Neither a scale nor an unchanged plan asks anything about prewarm tasks."""
    sandbox.declare(warmed())
    sandbox.apply()
    sandbox.sim.faults.clear()
    before = len(sandbox.sim.requests)
    sandbox.apply()
    sandbox.declare(warmed(maxReplicas=3, env={"A": "b"}))
    ran = sandbox.apply()
    assert not [one for one in sandbox.sim.requests[before:] if one.operation.startswith("prewarm")]
    assert "warmed" not in ran.out + ran.err
    sandbox.declare(warmed(image=NEXT, maxReplicas=3, env={"A": "b"}))
    sandbox.apply()
    assert [one["imageUrl"] for one in tasks(sandbox)] == [IMAGE, NEXT]


def test_a_private_image_is_warmed_with_its_credential(sandbox: Sandbox) -> None:
    """The credential of the endpoint."""
    sandbox.declare(warmed(imageAuthId="auth-1"))
    sandbox.apply()
    assert [one["repositoryAuth"] for one in tasks(sandbox)] == ["auth-1"]


@pytest.mark.parametrize("args", [["--prewarm-timeout=0.3s"], []])
def test_an_apply_waits_no_longer_than_it_may(sandbox: Sandbox, args: list[str]) -> None:
    """By the option or by config.yaml; then the endpoint is made, and a warning names the command."""
    seconds = 0.5 if args else 0.3
    settings = {"settle_seconds": 0.2, "poll_interval": 0.1, "prewarm_timeout": seconds}
    sandbox.write("config.yaml", {"novita": settings})
    sandbox.sim.world.switch(prewarm_seconds=1000)
    sandbox.declare(warmed())
    started = time.monotonic()
    ran = sandbox.run("apply", "--auto-approve", *args)
    assert ran.code == 0
    assert time.monotonic() - started < 60
    assert f"{IMAGE} in us-dallas-nas-2 is not warm after 0.3 seconds, and its endpoints were" in ran.err
    assert "`--prewarm-timeout 60s` waits longer" in ran.err
    assert "chat" in sandbox.live()


def test_without_a_wait_the_task_is_only_begun(sandbox: Sandbox) -> None:
    """--prewarm-timeout 0 begins the task, and nothing is said about its end."""
    sandbox.sim.world.switch(prewarm_seconds=1000)
    sandbox.declare(warmed())
    assert warnings(sandbox, "--prewarm-timeout=0") == []
    assert [one["state"] for one in tasks(sandbox)] == ["Pending"]


def test_a_failed_task_is_a_warning(sandbox: Sandbox) -> None:
    """With Novita's reason; the next run of that image begins a new one."""
    sandbox.sim.world.switch(prewarm_error="manifest unknown")
    sandbox.declare(warmed())
    ran = sandbox.apply()
    assert "could not be warmed" in ran.err
    assert "manifest unknown" in ran.err.lower()
    sandbox.sim.world.switch(prewarm_error="")
    sandbox.declare(warmed("other"), warmed())
    assert warnings(sandbox) == []
    assert [one["state"] for one in tasks(sandbox)] == ["Failed", "Succeeded"]


def test_an_account_without_the_feature(sandbox: Sandbox) -> None:
    """404 is a warning that says so."""
    sandbox.sim.world.switch(prewarm_offered=False)
    sandbox.declare(warmed())
    assert warnings(sandbox) == ["images could not be warmed, because this account has no image prewarm"]


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("prewarms", Fault(status=500, times=None)),
        ("prewarms", Fault(status=403, reason="FEATURE_NOT_ALLOWED", times=None)),
        ("prewarm_quota", Fault(status=400, reason="VALIDATOR_PARAM")),
        ("prewarm_create", Fault(status=400, reason="IMAGE_NOT_FOUND")),
        ("prewarm_create", Fault(status=403, reason="NOT_ENOUGH_BALANCE")),
        ("prewarm_create", Fault(status=429, times=None)),
        ("prewarm_create", Fault(kind="lost_request")),
        ("prewarm_create", Fault(kind="error_in_2xx", status=400)),
    ],
)
def test_no_refusal_fails_an_apply(sandbox: Sandbox, operation: str, fault: Fault) -> None:
    """Whatever Novita answers, there is one warning and the endpoint is made."""
    sandbox.sim.faults.add(replace(fault, operation=operation))
    sandbox.declare(warmed())
    [warning] = warnings(sandbox)
    assert "warmed" in warning
    assert len(sandbox.live()) == 1


@pytest.mark.parametrize("operation", ["prewarms", "prewarm_quota", "prewarm_create"])
@pytest.mark.parametrize("answer", [[], {}, "text", {"data": "x"}, {"data": [1, {"id": 1}], "total": "many"}])
def test_odd_answers_fail_nothing(sandbox: Sandbox, operation: str, answer: Any) -> None:
    """An answer of another shape is a warning, or no task at all."""
    sandbox.sim.faults.rewrite(operation, lambda _: answer)
    sandbox.declare(warmed())
    warnings(sandbox, "--prewarm-timeout=0.2s")
    assert len(sandbox.live()) == 1


@pytest.mark.parametrize("kind", ["lost_answer", "status_after"])
def test_a_lost_answer_begins_no_second_task(sandbox: Sandbox, kind: Any) -> None:
    """The task is found by its image and its region."""
    sandbox.sim.faults.add(Fault(operation="prewarm_create", kind=kind, status=504))
    sandbox.declare(warmed())
    assert warnings(sandbox) == []
    assert [one["state"] for one in tasks(sandbox)] == ["Succeeded"]


def test_a_lost_answer_of_a_second_try_is_not_the_first_task(sandbox: Sandbox) -> None:
    """A task that failed before does not stand for one that may not exist; nobody waits for it."""
    sandbox.sim.world.switch(prewarm_error="no space")
    sandbox.declare(warmed())
    sandbox.apply("--prewarm-timeout=10s")
    sandbox.declare(warmed(), warmed("other"))
    sandbox.sim.faults.add(Fault(operation="prewarm_create", kind="lost_request"))
    [warning] = warnings(sandbox)
    assert "may not be warmed" in warning


def test_a_busy_server_does_not_end_the_wait(sandbox: Sandbox) -> None:
    """A look that fails is followed by another one, until the timeout."""
    sandbox.sim.world.switch(prewarm_seconds=0.4)
    sandbox.declare(warmed())

    def fail(_request: Request) -> None:
        sandbox.sim.faults.add(Fault(operation="prewarms", status=503, times=2))

    sandbox.sim.faults.after("prewarm_create", fail)
    assert warnings(sandbox) == []
    assert [one.status for one in sandbox.sent("prewarms")][:4] == [200, 503, 503, 200]


@pytest.mark.parametrize(
    ("operation", "when"),
    [
        ("prewarm_create", "before"),
        ("prewarm_create", "after"),
        ("prewarms", "after"),
        ("prewarm_quota", "after"),
    ],
)
def test_a_killed_run_begins_no_second_task(sandbox: Sandbox, operation: str, when: str) -> None:
    """The next run goes on with the task of the killed one."""
    sandbox.sim.world.switch(prewarm_seconds=0.5)
    sandbox.declare(warmed())
    sandbox.killed(operation, when=when)
    assert warnings(sandbox) == []
    assert [one["state"] for one in tasks(sandbox)] == ["Succeeded"]
    assert len(sandbox.live()) == 1


def test_a_task_of_others_is_used_and_kept(sandbox: Sandbox) -> None:
    """An image that somebody else has warmed gets no second task."""
    api(sandbox, "POST", PREWARM, {**OTHERS, "imageUrl": IMAGE})
    sandbox.declare(warmed())
    assert f"{IMAGE} in us-dallas-nas-2: Warm already" in sandbox.apply().err
    assert [one["note"] for one in tasks(sandbox)] == ["by hand"]
    assert not sandbox.sent("prewarm_create", "prewarm_delete")


def test_a_full_quota_of_others_is_a_warning(sandbox: Sandbox) -> None:
    """No task of others is deleted, and no task with our mark whose image runs."""
    sandbox.sim.world.switch(prewarm_limit=3)
    sandbox.declare(warmed())
    sandbox.apply()
    for image in ("a:1", "b:1"):
        api(sandbox, "POST", PREWARM, {**OTHERS, "imageUrl": image})
    sandbox.declare(warmed(), warmed("other", NEXT))
    [warning] = warnings(sandbox)
    assert warning == (
        f"{NEXT} in us-dallas-nas-2 is not warmed, because the account has 3 of 3 prewarm tasks"
    )
    assert len(tasks(sandbox)) == 3
    assert not sandbox.sent("prewarm_delete")


def test_our_old_tasks_make_room(sandbox: Sandbox) -> None:
    """Those of images that no endpoint runs any more, and no more of them than necessary."""
    sandbox.sim.world.switch(prewarm_limit=3)
    api(sandbox, "POST", PREWARM, OTHERS)
    for version in range(1, 5):
        sandbox.declare(warmed(image=f"llm:{version}"))
        assert warnings(sandbox) == []
    assert [one["imageUrl"] for one in tasks(sandbox)] == ["other:1", "llm:3", "llm:4"]


def test_a_task_that_somebody_deletes_is_a_warning(sandbox: Sandbox) -> None:
    """The wait ends at once."""
    sandbox.sim.world.switch(prewarm_seconds=1000)
    sandbox.declare(warmed())

    def delete(_request: Request) -> None:
        api(sandbox, "POST", f"{PREWARM}/delete", {"ids": [one["id"] for one in tasks(sandbox)]})

    sandbox.sim.faults.before("prewarms", delete, nth=3)
    [warning] = warnings(sandbox)
    assert "was deleted" in warning


def test_an_interrupt_ends_the_wait(sandbox: Sandbox) -> None:
    """Nothing is changed after it, and the next run goes on."""
    sandbox.sim.world.switch(prewarm_seconds=1000)
    sandbox.declare(warmed())
    process = sandbox.start("apply", "--auto-approve")
    sandbox.sim.faults.before("prewarms", lambda _: process.terminate(), nth=3)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert sandbox.live() == {}
    sandbox.sim.world.switch(prewarm_seconds=0)
    assert warnings(sandbox, "--prewarm-timeout=0.2s") != []
    assert len(tasks(sandbox)) == 1


def test_a_saved_plan_warms_too(sandbox: Sandbox) -> None:
    """With the timeout of the apply."""
    sandbox.sim.world.switch(prewarm_seconds=1000)
    sandbox.declare(warmed())
    assert sandbox.run("plan", "--out", "p.plan").code == 0
    ran = sandbox.run("apply", "p.plan", "--prewarm-timeout=0.2s")
    assert ran.code == 0, ran.err
    assert "is not warm after 0.2 seconds" in ran.err
    assert len(tasks(sandbox)) == 1


def test_a_secret_image_is_not_shown(sandbox: Sandbox) -> None:
    """It is sent, and masked in everything that is printed."""
    sandbox.monkeypatch.setenv("IMAGE_TOKEN", "registry.example.com/hidden/image:1")
    sandbox.sim.world.switch(prewarm_error="no")
    sandbox.declare(warmed(image="${env:IMAGE_TOKEN}"))
    ran = sandbox.run("apply", "--auto-approve", "-v")
    assert ran.code == 0
    assert "could not be warmed" in ran.err
    assert "hidden" not in ran.out + ran.err
    assert [one["imageUrl"] for one in tasks(sandbox)] == ["registry.example.com/hidden/image:1"]


def test_events_tell_the_progress(sandbox: Sandbox) -> None:
    """As messages of the type log."""
    sandbox.declare(warmed())
    ran = sandbox.run("apply", "--auto-approve", "--events")
    assert ran.code == 0, ran.err
    messages = [json.loads(line) for line in ran.out.splitlines()]
    told = [one["@message"] for one in messages if one["type"] == "log" and IMAGE in one["@message"]]
    assert f"{IMAGE} in us-dallas-nas-2: Warming..." in told


@pytest.mark.parametrize(("value", "code"), [("yes", 1), (1, 1), (False, 0), ("${env:ON}", 0)])
def test_prewarm_is_true_or_false(sandbox: Sandbox, value: Any, code: int) -> None:
    """A reference to a variable is valid too."""
    sandbox.monkeypatch.setenv("ON", "true")
    sandbox.declare(item("chat", prewarm=value))
    assert sandbox.run("validate").code == code


def test_the_commands_of_the_page_run(sandbox: Sandbox) -> None:
    """`docs/prewarm.md`: each command does what its comment says, and the note is the one of a plan."""
    page = (ROOT / "docs/prewarm.md").read_text()
    declared, commands, note = (
        page.split(f"```{language}\n")[1].split("```")[0] for language in ("yaml", "sh", "text")
    )
    sandbox.write("specs.yaml", json.dumps(SPECS).replace('"small"', '"rtx-5090"'))
    sandbox.write("endpoints.yaml", declared)
    lines = [line.split("#")[0].split() for line in commands.splitlines()]
    assert [line[:2] for line in lines] == [["reconciler", "plan"], *[["reconciler", "apply"]] * 3]
    assert note in sandbox.run(*lines[0][1:]).err
    for version, (_, *args) in enumerate(lines[1:], 3):
        ran = sandbox.run(*args)
        assert ran.code == 0, ran.err
        sandbox.write("endpoints.yaml", declared.replace("chat:1.4.2", f"chat:1.4.{version}"))
    assert [one["state"] for one in tasks(sandbox)] == ["Succeeded"] * 3


def private(sandbox: Sandbox, **fields: Any) -> None:
    registry = {
        "name": "hub",
        "registry": "registry.example.com",
        "username": "me",
        "password": "${env:PASS}",
    }
    sandbox.monkeypatch.setenv("PASS", "the-password-itself")
    sandbox.declare(warmed(imageAuth="hub", **fields), registries=[registry])


def test_the_credential_of_the_same_apply_comes_first(sandbox: Sandbox) -> None:
    """A private image is warmed with the credential that the run has made, before its endpoint is."""
    sandbox.sim.world.switch(check_references=True)
    private(sandbox)
    ran = sandbox.apply()
    assert "not warm" not in ran.out + ran.err
    order = [one.operation for one in sandbox.sent("auth_save", "prewarm_create", "create")]
    assert order == ["auth_save", "prewarm_create", "create"]
    [auth] = api(sandbox, "GET", "/repository/auths")["data"]
    assert [(one["repositoryAuth"], one["state"]) for one in tasks(sandbox)] == [(auth["id"], "Succeeded")]


def test_an_image_without_its_credential_is_not_warmed(sandbox: Sandbox) -> None:
    """The credential could not be made, so the endpoint is not attempted, and its image not asked for."""
    sandbox.sim.faults.add(Fault(operation="auth_save", status=400, reason="VALIDATOR_PARAM", times=None))
    private(sandbox)
    ran = sandbox.run("apply", "--auto-approve", "--json")
    assert ran.code == 4
    assert {one["outcome"] for one in ran.document["results"]} == {"failed", "not attempted"}
    assert not sandbox.sent("prewarm_create")


def test_the_defaults_of_a_file_may_ask_for_it(sandbox: Sandbox) -> None:
    """And an item may decline it."""
    cold = item("cold", image="cold:1", prewarm=False)
    sandbox.declare(item("warm", image=IMAGE), cold, defaults={"prewarm": True})
    sandbox.apply()
    assert [one["imageUrl"] for one in tasks(sandbox)] == [IMAGE]


@pytest.mark.parametrize("operation", ["prewarms", "prewarm_quota", "prewarm_create"])
def test_a_call_that_hangs_holds_the_apply_no_longer_than_the_timeout(
    sandbox: Sandbox, operation: str
) -> None:
    """The time for images is the time for the calls about them as well."""
    sandbox.monkeypatch.setattr("reconciler.model.durations.PREWARM_BEGIN", 0.1)
    sandbox.sim.faults.add(Fault(operation=operation, kind="hang", seconds=120.0, times=20))
    sandbox.declare(warmed())
    started = time.monotonic()
    (warning,) = warnings(sandbox, "--prewarm-timeout", "0.4s")
    assert time.monotonic() - started < 60
    assert "warmed" in warning


def test_deploy_warms_on_request(sandbox: Sandbox) -> None:
    """The image is there before the endpoint, and the wait has its limit."""
    sandbox.sim.world.switch(prewarm_seconds=1000)
    args = ("deploy", "chat", "--image", IMAGE, "--spec", "small", "--yes")
    ran = sandbox.run(*args, "--prewarm", "--prewarm-timeout", "0.2s")
    assert (ran.code, f"{IMAGE} in us-dallas-nas-2 is not warm after 0.2 seconds" in ran.err) == (0, True)
    assert [one.operation for one in sandbox.sent("prewarm_create", "create")] == ["prewarm_create", "create"]
    ran = sandbox.run("update", "chat", "--image", NEXT, "--prewarm", "--prewarm-timeout", "0", "--yes")
    assert ran.code == 0, ran.err
    assert [one["imageUrl"] for one in tasks(sandbox)] == [IMAGE, NEXT]


def test_update_warms_what_is_declared_so(sandbox: Sandbox) -> None:
    """By the declaration of the endpoint, without an option; a change without an image warms nothing."""
    sandbox.declare(warmed())
    sandbox.apply()
    ran = sandbox.run("update", "chat", "--replicas", "3", "--yes")
    assert (ran.code, len(tasks(sandbox))) == (0, 1)
    ran = sandbox.run("update", "chat", "--image", NEXT, "--yes")
    assert "1 image is warmed before the endpoints are changed" in ran.out + ran.err
    assert [one["imageUrl"] for one in tasks(sandbox)] == [IMAGE, NEXT]


def test_a_rollback_does_not_wait_for_an_image(sandbox: Sandbox) -> None:
    """It is in a hurry: the version that it leaves may not serve."""
    sandbox.declare(warmed())
    sandbox.apply()
    sandbox.declare(warmed(image=NEXT))
    sandbox.apply()
    before = len(sandbox.sim.requests)
    ran = sandbox.run("rollback", "chat", "1", "--yes")
    assert (ran.code, sandbox.live()["chat"]["image"]["image"]) == (0, IMAGE), ran.err
    assert not [one for one in sandbox.sim.requests[before:] if one.operation.startswith("prewarm")]
