"""Nothing leaks: no secret and no key in any output or file, after success and after failure."""

import json
import re
import signal
import subprocess
import threading
from collections.abc import Iterator

import pytest

from reconciler.simulator import Fault, Request
from tests.e2e.sandbox import KEY, CommandResult, Sandbox, item

TOKEN = 'tok+en/with=odd&chars\\and"quotes-0123456789'
PART = "only-a-part-of-it-42"
FILED = "from-a-file-77777"
FLAG = "in-the-command-99999"
STATE_KEY = "the-state-key-itself"
REPORTS = [word for kind in ("json", "markdown", "html", "junit") for word in (f"--{kind}-into", f"r/{kind}")]
SECRETS = (KEY, KEY[3:], TOKEN, json.dumps(TOKEN)[1:-1], TOKEN[:12], PART, FILED, FLAG, STATE_KEY)


@pytest.fixture
def guarded(sandbox: Sandbox) -> Sandbox:
    """A sandbox with secrets in every place where they may be."""
    sandbox.monkeypatch.setenv("TOKEN", TOKEN)
    sandbox.monkeypatch.setenv("PART", PART)
    sandbox.monkeypatch.setenv("FLAG", FLAG)
    sandbox.monkeypatch.setenv("RECONCILER_STATE_KEY", STATE_KEY)
    filed = sandbox.root / "token"
    filed.write_text(FILED + "\n")
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 0.2}})
    sandbox.declare(secretive("chat"), secretive("embed"))
    return sandbox


def secretive(name: str, **more: str | int) -> dict[str, object]:
    return item(
        name,
        env={"TOKEN": "${env:TOKEN}", "MIXED": "Bearer ${env:PART} end", "FILED": "${file:token}"},
        command="serve --flag ${env:FLAG}",
        **more,
    )


def found(sandbox: Sandbox, *said: str) -> Iterator[str]:
    """Where a secret is: in what was said, or in a file of the folder."""
    places = {f"output {number}": text for number, text in enumerate(said)}
    files = {name: content for name, content in sandbox.files().items() if name != "token"}
    places |= {name: content.decode(errors="replace") for name, content in files.items()}
    for place, text in places.items():
        for secret in SECRETS:
            if secret in text:
                yield f"{secret!r} in {place}"


def tell_all(sandbox: Sandbox) -> list[str]:
    """What every command that shows something says, in text, in JSON and with -v."""
    said: list[str] = []
    for command in (
        ("validate",),
        ("plan", "--out", "the.plan"),
        ("plan", "--explain", *REPORTS),
        ("preview",),
        ("preview", "--create"),
        ("preview", "--curl"),
        ("state", "list"),
        ("state", "show", "chat"),
    ):
        for options in ((), ("--json",), ("-v",)):
            ran = sandbox.run(*command, *options)
            said += [ran.out, ran.err]
    return said


def test_nothing_leaks_from_a_life(guarded: Sandbox) -> None:
    """Create, plan, preview, change, drift, delete: every output and every file is clean."""
    said = tell_all(guarded)
    for items in (
        [secretive("chat"), secretive("embed")],
        [secretive("chat", replicas=2), secretive("embed", specName="large")],
        [secretive("chat", port=9000)],
    ):
        guarded.declare(*items)
        said += tell_all(guarded)
        ran = guarded.run("apply", "--auto-approve", "-v", "--json", "--explain", *REPORTS)
        assert ran.code == 0
        said += [ran.out, ran.err]
        assert list(found(guarded)) == []
        said += tell_all(guarded)
    assert list(found(guarded, *said)) == []
    live = guarded.live()["chat"]
    assert {one["key"]: one["value"] for one in live["envs"]} == {
        "TOKEN": TOKEN,
        "MIXED": f"Bearer {PART} end",
        "FILED": live["envs"][0]["value"],
    }, "they did arrive"
    assert FLAG in live["image"]["command"]
    assert "hmac-sha256" in (guarded.root / "state/novita.json").read_text()


def test_live_values_of_others_are_hidden(guarded: Sandbox) -> None:
    """An env value that is no literal in today's YAML is masked, whoever set it."""
    guarded.apply()
    foreign = [{"key": "TOKEN", "value": "their-own-secret"}, {"key": "NEW", "value": "their-new-secret"}]
    guarded.sim.world.edit(guarded.id("chat"), lambda one: one.update(envs=foreign))
    guarded.sim.world.console_create(name="other", envs=[{"key": "K", "value": "their-other-secret"}])
    said = tell_all(guarded)
    guarded.declare(item("chat", env={"TOKEN": "a-literal-now"}))
    said += tell_all(guarded)
    ran = guarded.run("apply", "--auto-approve", "--json", "-v")
    said += [ran.out, ran.err]
    assert ran.code == 0
    assert not [text for text in said if "their-" in text]
    assert list(found(guarded, *said)) == []


def refused(guarded: Sandbox, operation: str, *messages: str) -> list[str]:
    """All that is said by applies that the server refuses with these messages, one after the other."""
    if operation == "update":
        guarded.apply()
        guarded.declare(secretive("chat", port=9000), secretive("embed", port=9000))
    bodies = [json.dumps(one["body"]) for one in guarded.run("preview", "--json", "--reveal").document]
    for message in (*bodies, *messages):
        guarded.sim.faults.add(
            Fault(operation=operation, status=400, reason="VALIDATOR_PARAM", message=message)
        )
    said: list[str] = []
    guarded.monkeypatch.setenv("GITHUB_ACTIONS", "true")
    guarded.monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(guarded.root / "summary.md"))
    for options in (("--json",), ("-v",), ("--events",)):
        ran = guarded.run("apply", "--auto-approve", "--parallelism", "1", *options, *REPORTS)
        assert ran.code in (0, 4)
        said += [ran.out, ran.err]
        assert list(found(guarded)) == []
    assert "VALIDATOR_PARAM" in said[0]
    return said


@pytest.mark.parametrize("operation", ["create", "update"])
def test_nothing_leaks_from_a_server_that_echoes(guarded: Sandbox, operation: str) -> None:
    """An error that quotes the request, a value of it or the key is quoted without the secrets in it."""
    said = refused(guarded, operation, f"{TOKEN} and Bearer {PART} end and {FILED}", f"Bearer {KEY}")
    assert list(found(guarded, *said)) == []


def test_nothing_leaks_from_a_server_that_echoes_a_part(guarded: Sandbox) -> None:
    """An error that quotes only the referenced part of a value is quoted without it as well."""
    said = refused(guarded, "create", f"not a number: {PART}", f"unknown flag {FLAG}")
    assert list(found(guarded, *said)) == []


def test_nothing_leaks_from_a_listing_that_fails(guarded: Sandbox) -> None:
    """A refusal that quotes the key is told without it."""
    message = f"the key {KEY} is unknown"
    guarded.sim.faults.add(Fault(operation="list", status=401, message=message, times=None))
    ran: list[CommandResult] = [guarded.run("plan", *options) for options in ((), ("--json",), ("-v",))]
    assert {one.code for one in ran} == {8}
    assert list(found(guarded, *(text for one in ran for text in (one.out, one.err)))) == []


def test_nothing_leaks_while_it_runs(guarded: Sandbox) -> None:
    """Lock note and journal of a run that hangs in a create, and of one that was killed there, are clean."""
    entered, leave = threading.Event(), threading.Event()

    def hold(_request: Request) -> None:
        entered.set()
        leave.wait(20)

    guarded.sim.faults.before("create", hold)
    process = guarded.start("apply", "--auto-approve", "--parallelism", "1")
    assert entered.wait(60)
    assert {"state/novita.json.journal", "state/novita.json.lock.json"} <= set(guarded.files())
    assert list(found(guarded)) == []
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    leave.set()
    assert list(found(guarded)) == []


def test_nothing_leaks_from_a_bug(guarded: Sandbox) -> None:
    """A fault of ours names its place and no value; only -v shows the traceback."""
    guarded.monkeypatch.setattr("reconciler.reports.run.text.plan_text", lambda *_, **__: 1 / int(TOKEN))
    ran = guarded.run("plan")
    assert ran.code == 1
    assert re.search(r"has a bug: ValueError at \w+\.py:\d+", ran.err)
    assert list(found(guarded, ran.out, ran.err)) == []


def test_a_key_is_never_an_argument(guarded: Sandbox) -> None:
    """No process list shows a key, and no option would take one."""
    for option in ("--api-key", "--key", "--token"):
        assert guarded.run("plan", option, KEY).code == 64
    process = guarded.start("plan")
    shown = subprocess.run(
        ["ps", "-o", "args=", "-p", str(process.pid)], capture_output=True, text=True, timeout=60
    ).stdout
    process.communicate(timeout=60)
    assert KEY not in shown
