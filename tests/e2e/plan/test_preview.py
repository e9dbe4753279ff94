"""What preview prints is what the socket receives."""

import json
import shutil
import subprocess

import pytest

from tests.e2e.sandbox import KEY, Sandbox, item

TOKEN = "tok-e\u0301\u4e16-'quoted' $HOME \\ end"


def pairs(out: str) -> list[tuple[str, str, str]]:
    """(method, URL, body) of each block that preview printed."""
    found = []
    for block in out.split("# novita_endpoint.")[1:]:
        _, request, body = block.split("\n", 2)
        method, url = request.split(" ", 1)
        found.append((method, url, body.rstrip("\n")))
    return found


def prepare(sandbox: Sandbox, case: str) -> tuple[str, ...]:
    """Bring about a plan of one kind; returns the options that it takes."""
    sandbox.monkeypatch.setenv("TOKEN", TOKEN)
    env = {"TOKEN": "${env:TOKEN}", "MODEL": "llama"}
    before = item("chat", env=env, replicas=2)
    if case == "adopt":
        sandbox.sim.world.console_create(name="chat", appName="chat", rootfsSize=100)
        sandbox.declare(before)
        return ("--adopt",)
    if case == "create":
        sandbox.declare(before, item("embed"))
        return ()
    sandbox.declare(before)
    sandbox.apply()
    match case:
        case "update":
            sandbox.declare(item("chat", env={**env, "MODEL": "qwen"}, replicas=2))
        case "scale":
            sandbox.declare(item("chat", env=env, replicas=5))
        case "replace":
            sandbox.declare(item("chat", env=env, replicas=2, specName="large"))
        case "delete":
            sandbox.declare(item("other", env=env))
    return ()


CASES = ("create", "update", "scale", "replace", "delete", "adopt")


@pytest.mark.parametrize("case", CASES)
def test_the_socket_receives_what_was_previewed(sandbox: Sandbox, case: str) -> None:
    """Method, URL and body bytes of every write, in the order of sending, secrets revealed on request."""
    options = prepare(sandbox, case)
    already = len(sandbox.sent())
    previewed = sandbox.run("preview", "--reveal", *options)
    assert previewed.code == 0, previewed.err
    assert len(sandbox.sent()) == already
    sandbox.apply(*options, "--parallelism", "1")
    received = [
        (one.method, sandbox.sim.url + one.path, one.body.decode()) for one in sandbox.sent()[already:]
    ]
    assert received == pairs(previewed.out)


@pytest.mark.parametrize("case", CASES)
def test_json_previews_the_same(sandbox: Sandbox, case: str) -> None:
    """`preview --json` holds the same bodies as objects, with their keys in sending order."""
    options = prepare(sandbox, case)
    already = len(sandbox.sent())
    previewed = sandbox.run("preview", "--json", "--reveal", *options).document
    sandbox.apply(*options, "--parallelism", "1")
    bodies = [json.dumps(json.loads(one.body)) for one in sandbox.sent()[already:]]
    assert [json.dumps(one["body"]) for one in previewed] == bodies
    assert {one["action"] for one in previewed if one["address"].endswith(".chat")} == {case}


@pytest.mark.parametrize("form", [(), ("--json",), ("--curl",)])
@pytest.mark.parametrize("case", CASES)
def test_secrets_are_masked_unless_revealed(sandbox: Sandbox, case: str, form: tuple[str, ...]) -> None:
    """Without --reveal no form of preview prints a secret, nor ever the key."""
    options = prepare(sandbox, case)
    previewed = sandbox.run("preview", *form, *options)
    assert previewed.code == 0
    for secret in (TOKEN, json.dumps(TOKEN)[1:-1], "quoted", KEY):
        assert secret not in previewed.out + previewed.err
    if case in ("create", "update", "scale", "replace", "adopt"):
        assert "(sensitive value)" in previewed.out


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
@pytest.mark.parametrize("case", CASES)
def test_curl_commands_run(sandbox: Sandbox, case: str) -> None:
    """What --curl prints is a script that makes the plan empty."""
    options = prepare(sandbox, case)
    script = sandbox.run("preview", "--curl", "--reveal", *options).out
    assert KEY not in script
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], check=True, capture_output=True, timeout=30)
    actions = sandbox.plan(*options).actions
    assert set(actions.values()) <= {"adopt", "forget"}, "only the records are left to be written"


def test_creates_need_neither_network_nor_key(sandbox: Sandbox, closed_port: int) -> None:
    """`preview --create` asks nobody, whatever is live, and an unset reference is only a warning."""
    prepare(sandbox, "create")
    sandbox.apply()
    asked = len(sandbox.sim.requests)
    sandbox.monkeypatch.setenv("NOVITA_BASE_URL", f"http://127.0.0.1:{closed_port}")
    sandbox.monkeypatch.delenv("NOVITA_API_KEY")
    sandbox.monkeypatch.delenv("TOKEN")
    before = sandbox.files()
    previewed = sandbox.run("preview", "--create", "--json", "--target", "chat")
    assert previewed.code == 0
    assert [one["body"]["endpoint"]["name"] for one in previewed.document] == ["chat"]
    assert "TOKEN" in previewed.err
    assert len(sandbox.sim.requests) == asked
    assert sandbox.files() == before


def test_nothing_to_send(sandbox: Sandbox) -> None:
    """A preview of an empty plan says so, and is an empty list in JSON."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    assert sandbox.run("preview").out == "No requests. Apply would send nothing.\n"
    assert sandbox.run("preview", "--json").document == []


def test_a_blocked_preview_tells_why_in_json_too(sandbox: Sandbox) -> None:
    """The list on stdout has no room for problems, so they are on stderr; the guard's code is the exit."""
    prepare(sandbox, "adopt")
    previewed = sandbox.run("preview", "--json")
    assert previewed.code == 3
    assert [one["action"] for one in previewed.document] == ["adopt"]
    assert "--adopt" in previewed.err
