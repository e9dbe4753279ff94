"""What preview prints is what the socket receives."""

import json
import shutil
import subprocess

import pytest

from tests.e2e.desk import KEY, Sandbox, item

TOKEN = "tok-e\u0301\u4e16-'quoted' $HOME \\ end"


def pairs(out: str) -> list[tuple[str, str, str]]:
    """(method, URL, body) of each block that preview printed."""
    found = []
    for block in out.split("# novita_endpoint.")[1:]:
        _, request, body = block.split("\n", 2)
        method, url = request.split(" ", 1)
        found.append((method, url, body.rstrip("\n")))
    return found


def prepare(desk: Sandbox, case: str) -> tuple[str, ...]:
    """Bring about a plan of one kind; returns the options that it takes."""
    desk.monkeypatch.setenv("TOKEN", TOKEN)
    env = {"TOKEN": "${env:TOKEN}", "MODEL": "llama"}
    before = item("chat", env=env, replicas=2)
    if case == "adopt":
        desk.sim.world.console_create(name="chat", appName="chat", rootfsSize=100)
        desk.declare(before)
        return ("--adopt",)
    if case == "create":
        desk.declare(before, item("embed"))
        return ()
    desk.declare(before)
    desk.apply()
    match case:
        case "update":
            desk.declare(item("chat", env={**env, "MODEL": "qwen"}, replicas=2))
        case "scale":
            desk.declare(item("chat", env=env, replicas=5))
        case "replace":
            desk.declare(item("chat", env=env, replicas=2, specName="large"))
        case "delete":
            desk.declare(item("other", env=env))
    return ()


CASES = ("create", "update", "scale", "replace", "delete", "adopt")


@pytest.mark.parametrize("case", CASES)
def test_the_socket_receives_what_was_previewed(desk: Sandbox, case: str) -> None:
    """Method, URL and body bytes of every write, in the order of sending, secrets revealed on request."""
    options = prepare(desk, case)
    already = len(desk.sent())
    previewed = desk.run("preview", "--reveal", *options)
    assert previewed.code == 0, previewed.err
    assert len(desk.sent()) == already
    desk.apply(*options, "--parallelism", "1")
    received = [(one.method, desk.sim.url + one.path, one.body.decode()) for one in desk.sent()[already:]]
    assert received == pairs(previewed.out)


@pytest.mark.parametrize("case", CASES)
def test_json_previews_the_same(desk: Sandbox, case: str) -> None:
    """`preview --json` holds the same bodies as objects, with their keys in sending order."""
    options = prepare(desk, case)
    already = len(desk.sent())
    previewed = desk.run("preview", "--json", "--reveal", *options).document
    desk.apply(*options, "--parallelism", "1")
    bodies = [json.dumps(json.loads(one.body)) for one in desk.sent()[already:]]
    assert [json.dumps(one["body"]) for one in previewed] == bodies
    assert {one["action"] for one in previewed if one["address"].endswith(".chat")} == {case}


@pytest.mark.parametrize("form", [(), ("--json",), ("--curl",)])
@pytest.mark.parametrize("case", CASES)
def test_secrets_are_masked_unless_revealed(desk: Sandbox, case: str, form: tuple[str, ...]) -> None:
    """Without --reveal no form of preview prints a secret, nor ever the key."""
    options = prepare(desk, case)
    previewed = desk.run("preview", *form, *options)
    assert previewed.code == 0
    for secret in (TOKEN, json.dumps(TOKEN)[1:-1], "quoted", KEY):
        assert secret not in previewed.out + previewed.err
    if case in ("create", "update", "scale", "replace", "adopt"):
        assert "(sensitive value)" in previewed.out


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
@pytest.mark.parametrize("case", CASES)
def test_curl_commands_run(desk: Sandbox, case: str) -> None:
    """What --curl prints is a script that makes the plan empty."""
    options = prepare(desk, case)
    script = desk.run("preview", "--curl", "--reveal", *options).out
    assert KEY not in script
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], check=True, capture_output=True, timeout=30)
    actions = desk.plan(*options).actions
    assert set(actions.values()) <= {"adopt", "forget"}, "only the records are left to be written"


def test_creates_need_neither_network_nor_key(desk: Sandbox, closed_port: int) -> None:
    """`preview --create` asks nobody, whatever is live, and an unset reference is only a warning."""
    prepare(desk, "create")
    desk.apply()
    asked = len(desk.sim.requests)
    desk.monkeypatch.setenv("NOVITA_BASE_URL", f"http://127.0.0.1:{closed_port}")
    desk.monkeypatch.delenv("NOVITA_API_KEY")
    desk.monkeypatch.delenv("TOKEN")
    before = desk.files()
    previewed = desk.run("preview", "--create", "--json", "--target", "chat")
    assert previewed.code == 0
    assert [one["body"]["endpoint"]["name"] for one in previewed.document] == ["chat"]
    assert "TOKEN" in previewed.err
    assert len(desk.sim.requests) == asked
    assert desk.files() == before


def test_nothing_to_send(desk: Sandbox) -> None:
    """A preview of an empty plan says so, and is an empty list in JSON."""
    desk.declare(item("chat"))
    desk.apply()
    assert desk.run("preview").out == "No requests: apply would send nothing.\n"
    assert desk.run("preview", "--json").document == []


def test_a_blocked_preview_tells_why_in_json_too(desk: Sandbox) -> None:
    """The list on stdout has no room for problems, so they are on stderr; the guard's code is the exit."""
    prepare(desk, "adopt")
    previewed = desk.run("preview", "--json")
    assert previewed.code == 3
    assert [one["action"] for one in previewed.document] == ["adopt"]
    assert "--adopt" in previewed.err
