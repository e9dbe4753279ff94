"""`apply --probe`: a changed endpoint proves that it serves, by the answer to a real request."""

import json
import signal
import time
from typing import Any

import pytest

from reconciler.simulator import Fault
from tests.e2e.sandbox import KEY, CommandResult, Sandbox, item

CHAT = {
    "path": "/v1/chat/completions",
    "headers": {"Authorization": "Bearer ${env:CHAT_KEY}"},
    "body": {"messages": [{"role": "user", "content": "ping"}]},
    "expect": {"status": 200, "jsonpath": "$.choices[0].message.content", "contains": "ping"},
    "timeout": 5,
}


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """A sandbox that polls ten times a second."""
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 0.2, "poll_interval": 0.1}})
    sandbox.monkeypatch.setenv("CHAT_KEY", "sk-of-the-model")
    return sandbox


def probed(sandbox: Sandbox, *args: str) -> CommandResult:
    return sandbox.run("apply", "--auto-approve", "--probe", *args)


def failed(sandbox: Sandbox, *args: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the problem and the probe of an apply whose only probe fails."""
    ran = probed(sandbox, "--json", *args)
    assert ran.code == ran.document["exit_code"] == 4, ran.err
    (problem,) = (one for one in ran.document["problems"] if one["severity"] == "error")
    (result,) = ran.document["results"]
    assert (problem["code"], result["outcome"], result["probe"]["passed"]) == ("probe-failed", "done", False)
    return problem, result["probe"]


def test_a_changed_endpoint_is_probed(sandbox: Sandbox) -> None:
    """With its secrets, without the key of the account, once its workers are ready."""
    sandbox.sim.world.switch(worker_boot_seconds=0.4)
    sandbox.declare(item("chat", probe=CHAT), item("embed"))
    ran = probed(sandbox)
    assert ran.code == 0, ran.err
    lines = ran.err.splitlines()
    probe = "novita_endpoint.chat: Probe passed after 0s: POST /v1/chat/completions: status 200"
    assert lines.index(probe) > next(at for at, line in enumerate(lines) if "Serving" in line)
    (sent,) = sandbox.sent("call")
    assert sent.headers["authorization"] == "Bearer sk-of-the-model"
    assert sent.headers["content-type"] == "application/json"
    assert json.loads(sent.body) == CHAT["body"]
    assert KEY not in str(sent.headers)
    assert "sk-of-the-model" not in ran.out + ran.err + "".join(map(repr, sandbox.files().values()))


def test_a_probe_is_never_sent_to_novita(sandbox: Sandbox) -> None:
    """It is no field of the endpoint: no write has it, and its change is no change."""
    sandbox.declare(item("chat", probe=CHAT))
    sandbox.apply()
    (created,) = sandbox.sent("create")
    assert "probe" not in json.loads(created.body)["endpoint"]
    assert sandbox.sent("call") == []
    sandbox.declare(item("chat", probe={}))
    assert sandbox.plan().code == 0
    ran = probed(sandbox)
    assert (ran.code, sandbox.sent("call")) == (0, [])


def test_the_default_is_the_health_path(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat", probe={}, healthPath="/ready"))
    document = probed(sandbox, "--json").document
    (result,) = document["results"]
    probe = result["probe"]
    assert (probe["request"], probe["status"], probe["passed"]) == ("GET /ready", 200, True)
    assert (probe["expected"], probe["got"], probe["reason"]) == ("a status from 200 to 299", None, None)


def test_only_what_changed_is_probed(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat", probe={}), item("embed", probe={}))
    sandbox.apply()
    sandbox.declare(item("chat", probe={}), item("embed", probe={}, image="ubuntu:24.04"))
    assert probed(sandbox).code == 0
    assert [sandbox.id("embed") in one.path for one in sandbox.sent("call")] == [True]


def test_without_any_probe_it_says_so(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat"))
    ran = probed(sandbox)
    assert (ran.code, "no changed endpoint declares a `probe`" in ran.err) == (0, True)


def test_an_endpoint_that_sleeps_is_woken(sandbox: Sandbox) -> None:
    sandbox.sim.world.switch(worker_boot_seconds=0.6)
    sandbox.declare(item("chat", minReplicas=0, maxReplicas=1, probe={"timeout": 10}))
    ran = probed(sandbox)
    assert ran.code == 0, ran.err
    assert "novita_endpoint.chat: Waiting: " in ran.err


@pytest.mark.parametrize(
    ("expect", "got"),
    [
        ({"status": 204}, 'status 200: {"method":"GET"'),
        ({"contains": "no such text"}, 'a body without that text: {"method":"GET"'),
        ({"jsonpath": "$.nothing"}, 'no value at $.nothing: {"method":"GET"'),
        ({"jsonpath": "$.query", "contains": "x"}, "a value at $.query without that text: {}"),
    ],
)
def test_an_answer_that_was_not_expected(sandbox: Sandbox, expect: dict[str, Any], got: str) -> None:
    sandbox.declare(item("chat", probe={"path": "/x", "expect": expect}))
    problem, probe = failed(sandbox)
    assert probe["got"].startswith(got)
    assert problem["summary"].startswith(f"`chat` ({sandbox.id('chat')}) was applied, and its probe failed: ")
    assert problem["summary"].endswith(probe["got"])
    assert problem["detail"] == f"GET /x: expected {probe['expected']}."
    assert problem["hint"] == "`reconciler call chat` sends requests of your own"


@pytest.mark.parametrize(
    ("body", "got"),
    [(b"<html>", "a body that is not JSON: <html>"), (b"", "a body that is not JSON, without a body")],
)
def test_a_body_that_is_not_json(sandbox: Sandbox, body: bytes, got: str) -> None:
    sandbox.sim.faults.rewrite("call", lambda _answer: body)
    sandbox.declare(item("chat", probe={"expect": {"jsonpath": "$.a"}}))
    assert failed(sandbox)[1]["got"] == got


def test_a_failure_in_text_and_events(sandbox: Sandbox) -> None:
    sandbox.sim.faults.add(Fault(operation="call", status=500, times=2))
    sandbox.declare(item("chat", probe={"body": "text", "method": "PUT", "path": "/x"}))
    ran = probed(sandbox)
    assert ran.code == 4
    assert "novita_endpoint.chat: Probe failed after 0s: PUT /x: expected a status from 200 to 299" in ran.err
    assert ", got status 500: " in ran.err
    assert "Error: `chat` (" in ran.err
    sandbox.declare(item("chat", probe={}, image="ubuntu:24.04"))
    ran = sandbox.run("apply", "--auto-approve", "--probe", "--events")
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 4
    (hook,) = (one["hook"] for one in events if "probe" in one.get("hook", {}))
    assert (hook["probe"]["passed"], hook["probe"]["status"]) == (False, 500)
    assert [one["diagnostic"]["code"] for one in events if one["type"] == "diagnostic"] == ["probe-failed"]


def test_the_reason_of_the_worker_comes_first(sandbox: Sandbox) -> None:
    """A worker that does not start says more than the status of the gateway."""
    sandbox.sim.world.switch(worker_error="OOM: out of memory")
    sandbox.declare(item("chat", minReplicas=0, maxReplicas=1, probe={"timeout": 0.5}))
    problem, probe = failed(sandbox)
    assert problem["summary"].endswith(" failed: OOM: out of memory")
    assert probe["reason"].endswith(" failed: OOM: out of memory")
    assert probe["status"] == 503


def test_what_does_not_serve_is_not_probed(sandbox: Sandbox) -> None:
    sandbox.sim.world.switch(no_stock=True)
    sandbox.declare(item("chat", probe={}))
    ran = probed(sandbox, "--wait=0.2", "--json")
    assert (ran.code, ran.codes) == (4, ["preflight-stock", "not-serving"])
    assert sandbox.sent("call") == []


@pytest.mark.parametrize("kind", ["lost_answer", "reset"])
def test_no_answer(sandbox: Sandbox, kind: Any) -> None:
    sandbox.sim.faults.add(Fault(operation="call", kind=kind))
    sandbox.declare(item("chat", probe={}))
    assert "`chat` did not answer: " in failed(sandbox)[1]["got"]


def test_a_url_that_is_refused(sandbox: Sandbox) -> None:
    sandbox.sim.faults.rewrite("get", lambda answer: {"endpoint": {**answer["endpoint"], "url": "ftp://x"}})
    sandbox.declare(item("chat", probe={}))
    assert "is neither https nor http" in failed(sandbox)[1]["got"]


def test_a_secret_that_the_endpoint_repeats_is_masked(sandbox: Sandbox) -> None:
    sandbox.sim.faults.rewrite("call", lambda _answer: b"your key is sk-of-the-model")
    sandbox.declare(item("chat", probe={**CHAT, "expect": {"contains": "${env:CHAT_KEY}!"}}))
    ran = probed(sandbox, "--json")
    assert ran.code == 4
    assert "sk-of-the-model" not in ran.out + ran.err
    assert "your key is (sensitive value)" in ran.out


def test_ctrl_c_ends_a_probe(sandbox: Sandbox) -> None:
    sandbox.sim.faults.add(Fault(operation="call", kind="slow", seconds=120))
    sandbox.declare(item("chat", probe={}))
    process = sandbox.start("apply", "--auto-approve", "--probe")
    sandbox._await(lambda: not sandbox.sim.faults.pending, "no probe came")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, "its probe was interrupted" in err) == (130, True)


@pytest.mark.parametrize(
    ("probe", "at", "says"),
    [
        ({"path": "x"}, ("path", "x"), "a path that starts with /"),
        ({"path": "/../../v3/x"}, ("path", "/../"), "has a segment `..`"),
        ({"path": "/a/.%2e"}, ("path", "%2e"), "has a segment `..`"),
        ({"method": "GETT"}, ("method", "GETT"), "GETT"),
        ({"expect": {"jsonpath": "$..x"}}, ("jsonpath", "$..x"), "is not a path"),
        ({"expect": {"status": 99}}, ("status", "99"), "99"),
        ({"headers": {"Host": "x"}}, ("Host", "x"), "belongs to the connection"),
        ({"timeout": 0}, ("timeout", "0"), "0"),
        ({"expct": {}}, ("expct", ""), "expct"),
    ],
)
def test_a_wrong_probe_is_an_error_with_its_place(
    sandbox: Sandbox, probe: dict[str, Any], at: tuple[str, str], says: str
) -> None:
    sandbox.declare(item("chat", probe=probe))
    ran = sandbox.run("validate", "--json")
    assert ran.code == 1
    (problem,) = ran.document["problems"]
    assert says in problem["summary"] + problem["detail"] + problem["hint"], problem
    line = (sandbox.root / "endpoints.yaml").read_text().splitlines()[problem["line"] - 1]
    assert at[0] in line
    assert at[1] in line


def test_the_command_probes_what_is_declared(sandbox: Sandbox) -> None:
    """All, one, or those that are selected; without a change."""
    sandbox.declare(item("chat", probe=CHAT), item("embed", probe={"expect": {"status": 404}}), item("other"))
    sandbox.apply()
    ran = sandbox.run("probe")
    assert ran.code == 1
    first, *rest = ran.out.splitlines()
    assert first.startswith("chat: passed: POST /v1/chat/completions after 0.")
    assert rest[0].startswith("embed: failed: GET /health after 0.")
    assert rest[1:] == ["  expected status 404", '  got status 200: {"status":"ok"}']
    assert sandbox.run("probe", "chat").code == 0
    ran = sandbox.run("probe", "--target", "c*", "--json")
    assert (ran.code, [(one["name"], one["passed"]) for one in ran.document]) == (0, [("chat", True)])
    assert ran.document[0]["url"] == sandbox.url("chat")
    sandbox.declare(item("chat", probe={}), item("new", probe={}))
    ran = sandbox.run("probe", "new", "--json")
    assert (ran.code, ran.document[0]["id"]) == (1, None)
    assert "not found in Novita" in ran.document[0]["got"]


def test_the_command_without_a_probe(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat"))
    ran = sandbox.run("probe")
    assert (ran.code, "no selected endpoint declares a `probe`" in ran.err) == (1, True)
    ran = sandbox.run("probe", "chat")
    assert (ran.code, "`chat` declares no `probe`" in ran.err) == (1, True)
    assert sandbox.run("probe", "chat", "--target", "x").code == 64


def test_the_command_waits_for_a_cold_start(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat", minReplicas=0, maxReplicas=1, probe={}))
    sandbox.apply()
    sandbox.sim.world.switch(worker_boot_seconds=1.3)
    ran = sandbox.run("probe")
    assert (ran.code, "waiting for 1 s: worker w-" in ran.err) == (0, True)


def test_passed_in_the_reports(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat", probe={}))
    assert probed(sandbox, "--markdown-into", "r.md", "--html-into", "r.html").code == 0
    for name in ("r.md", "r.html"):
        assert " s, probe passed" in (sandbox.root / name).read_text()


def test_a_probe_waits_for_the_new_workers(sandbox: Sandbox) -> None:
    """After a change of what runs, a worker from before proves nothing: it is waited for the exchange."""
    sandbox.sim.world.switch(worker_boot_seconds=0.8)
    sandbox.declare(item("chat", probe={}))
    assert probed(sandbox).code == 0
    moments: dict[str, float] = {}
    for operation in ("update", "call"):
        sandbox.sim.faults.before(operation, lambda _, at=operation: moments.setdefault(at, time.monotonic()))
    sandbox.declare(item("chat", probe={}, image="ubuntu:24.04"))
    ran = probed(sandbox)
    assert ran.code == 0, ran.err
    assert moments["call"] - moments["update"] >= 0.8
    assert "novita_endpoint.chat: Waiting: worker w-" in ran.err
    waits = [line for line in ran.err.splitlines() if "Waiting: " in line]
    assert waits == list(dict.fromkeys(waits))


def test_a_scale_needs_no_new_worker(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat", minReplicas=1, maxReplicas=2, probe={}))
    sandbox.apply()
    sandbox.sim.world.switch(worker_boot_seconds=30)
    sandbox.declare(item("chat", minReplicas=1, maxReplicas=5, freeTimeout=9, probe={}))
    sandbox.sim.world.switch(worker_boot_seconds=0)
    assert probed(sandbox).code == 0


def test_a_pending_worker_is_no_reason(sandbox: Sandbox) -> None:
    """What came is the reason, if no worker has failed."""
    sandbox.sim.world.switch(worker_boot_seconds=60)
    sandbox.declare(item("chat", minReplicas=0, maxReplicas=1, probe={"timeout": 0.4}))
    problem, probe = failed(sandbox)
    assert problem["summary"].endswith("its probe failed: status 503: no worker is available")
    assert probe["reason"] is None


def test_an_apply_whose_probe_failed_is_not_complete(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat", probe={"expect": {"status": 404}}), item("embed"))
    ran = probed(sandbox, "--markdown-into", "r.md")
    assert ran.code == 4
    assert "Apply incomplete: 2 done, 1 not serving." in ran.out
    assert "Apply complete!" not in ran.out + (sandbox.root / "r.md").read_text()
