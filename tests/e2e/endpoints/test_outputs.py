"""The URL of each endpoint after a change, and `reconciler output`."""

import json
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from reconciler.simulator import Fault
from tests.e2e.sandbox import KEY, ROOT, CommandResult, Sandbox, item

PAGE = (ROOT / "docs" / "outputs.md").read_text(encoding="utf-8")


def url(sandbox: Sandbox, name: str) -> str:
    """Return the URL that the account reports."""
    live = sandbox.live()[name]
    return f"{sandbox.sim.url}/run/{live['id']}-{live['appName']}"


def outputs(ran: CommandResult) -> list[str]:
    """Return the lines below `Outputs:`."""
    return ran.out.split("\nOutputs:\n\n")[1].splitlines()


def test_an_apply_ends_with_the_urls(sandbox: Sandbox) -> None:
    """Those of the endpoints that it changed, aligned; the others are counted."""
    sandbox.declare(item("chat"), item("embedding"))
    assert outputs(sandbox.apply()) == [
        f"chat      = {url(sandbox, 'chat')}",
        f"embedding = {url(sandbox, 'embedding')}",
    ]
    sandbox.declare(item("chat", maxReplicas=4), item("embedding"))
    assert outputs(sandbox.apply()) == [
        f"chat = {url(sandbox, 'chat')}",
        "",
        "1 unchanged endpoint: reconciler output",
    ]
    assert "Outputs:" not in sandbox.apply().out


def test_every_command_that_changes_an_endpoint_shows_its_url(sandbox: Sandbox) -> None:
    """deploy, update, scale, drift revert and rollback; a delete has no URL to show."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    deployed = sandbox.run("deploy", "tmp", "--image", "ubuntu:24.04", "--spec", "small", "--yes")
    assert outputs(deployed) == [f"tmp = {url(sandbox, 'tmp')}"]
    for command in (
        ["update", "tmp", "--image", "ubuntu:25.04"],
        ["scale", "tmp", "--max", "4"],
    ):
        assert outputs(sandbox.run(*command, "--yes")) == [f"tmp = {url(sandbox, 'tmp')}"]
    sandbox.sim.world.console_update(sandbox.id("chat"), healthy={"path": "/"})
    assert outputs(sandbox.run("drift", "revert", "--yes")) == [f"chat = {url(sandbox, 'chat')}"]
    sandbox.declare(item("chat", image="ubuntu:24.04"))
    sandbox.apply()
    assert outputs(sandbox.run("rollback", "chat", "--yes")) == [f"chat = {url(sandbox, 'chat')}"]
    assert "Outputs:" not in sandbox.run("delete", "tmp", "--yes").out


def test_a_replaced_endpoint_shows_both_ids(sandbox: Sandbox, tmp_path: Path) -> None:
    """In the text, in the results, in the events, in Markdown and in HTML."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    old = sandbox.id("chat")
    sandbox.declare(item("chat", specName="large"))
    reports = {kind: tmp_path / f"report.{kind}" for kind in ("json", "markdown", "html")}
    into = [word for kind, path in reports.items() for word in (f"--{kind}-into", str(path))]
    ran = sandbox.apply("--allow-delete", "1", *into)
    new, there = sandbox.id("chat"), url(sandbox, "chat")
    assert old != new
    assert outputs(ran) == [f"chat = {there}", f"  replaced: the ID was {old} and is {new}"]
    document = json.loads(reports["json"].read_text())
    (result,) = document["results"]
    assert (result["url"], result["id"], result["replaced_id"]) == (there, new, old)
    assert document["outputs"] == {"chat": {"sensitive": False, "type": "string", "value": there, "id": new}}
    markdown, html = reports["markdown"].read_text(), reports["html"].read_text()
    row = f"| <code>chat</code> | <code>{there}</code> | <code>{old}</code> → <code>{new}</code> |"
    assert row in unescape(markdown)
    assert f"<dd><code>{there}</code><dd>replaced: the ID was <code>{old}</code>" in html


def test_the_events_end_with_the_outputs(sandbox: Sandbox) -> None:
    """In Terraform's shape, also when nothing was to be done."""
    sandbox.declare(item("chat"))
    for _ in range(2):
        last = json.loads(sandbox.apply("--events").out.splitlines()[-1])
        assert (last["type"], last["@message"]) == ("outputs", "Outputs: 1")
        assert last["outputs"]["chat"]["value"] == url(sandbox, "chat")


def test_an_apply_that_fails_still_shows_the_urls(sandbox: Sandbox) -> None:
    """Those of the endpoints that were changed."""
    sandbox.declare(item("chat"), item("embed"))
    refused = Fault(operation="create", status=400)
    sandbox.sim.faults.before("create", lambda _: sandbox.sim.faults.add(refused))
    ran = sandbox.run("apply", "--yes", "--parallelism", "1")
    assert ran.code == 4
    assert outputs(ran) == [f"chat = {url(sandbox, 'chat')}"]


@pytest.fixture
def fleet(sandbox: Sandbox) -> Sandbox:
    """Two endpoints that are declared, one that is imperative, and one of somebody else."""
    sandbox.declare(item("chat"), item("embed-7b"))
    sandbox.apply()
    sandbox.run("deploy", "tmp", "--image", "ubuntu:24.04", "--spec", "small", "--yes")
    sandbox.sim.world.console_create(name="theirs", image="x")
    return sandbox


def test_output_lists_the_urls(fleet: Sandbox) -> None:
    """Of the endpoints that are declared or recorded; with a name, the bare URL."""
    ran = fleet.run("output")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [f"{name:<8} = {url(fleet, name)}" for name in ("chat", "embed-7b", "tmp")]
    assert fleet.run("output", "chat").out == f"{url(fleet, 'chat')}\n"
    assert fleet.run("output", fleet.id("theirs")).out == f"{url(fleet, 'theirs')}\n"
    assert fleet.run("output", "chat", "--json").document == url(fleet, "chat")
    assert fleet.run("output", "--json").document["tmp"] == {
        "sensitive": False, "type": "string", "value": url(fleet, "tmp"), "id": fleet.id("tmp"),
    }  # fmt: skip
    assert list(fleet.run("output", "--json", "--target", "c*").document) == ["chat"]


def test_output_writes_variables(fleet: Sandbox) -> None:
    """Lines for a `.env` file and for $GITHUB_ENV."""
    assert fleet.run("output", "--env").out.splitlines() == [
        f"CHAT_URL={url(fleet, 'chat')}",
        f"EMBED_7B_URL={url(fleet, 'embed-7b')}",
        f"TMP_URL={url(fleet, 'tmp')}",
    ]
    assert fleet.run("output", "chat", "--env").out == f"CHAT_URL={url(fleet, 'chat')}\n"


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["a-b", "a_b"], "`a-b` and `a_b` would both be the variable A_B_URL"),
        (["novita-base"], "`novita-base` would be NOVITA_BASE_URL"),
    ],
)
def test_output_refuses_variables_that_are_not_safe(sandbox: Sandbox, names: list[str], why: str) -> None:
    """A name that another endpoint or another program has; nothing is written then."""
    sandbox.declare(*(item(name, appName=f"app-{number}") for number, name in enumerate(names)))
    sandbox.apply()
    ran = sandbox.run("output", "--env")
    assert (ran.code, ran.out) == (1, "")
    assert why in ran.err


def test_an_endpoint_that_is_not_there_is_an_error(fleet: Sandbox) -> None:
    """With the name that is closest."""
    ran = fleet.run("output", "chta")
    assert (ran.code, ran.out) == (1, "")
    assert "Did you mean `chat`?" in ran.err
    assert fleet.run("output", "chat", "--target", "x").code == 64
    assert fleet.run("output", "--env", "--json").code == 64


def set_urls(sandbox: Sandbox, url: str) -> None:
    """Let every answer show this URL."""

    def rewritten(answer: dict[str, Any]) -> dict[str, Any]:
        for endpoint in answer.get("endpoints") or [answer.get("endpoint", answer)]:
            endpoint["url"] = url
        return answer

    sandbox.sim.faults.rewrite("get", rewritten)
    sandbox.sim.faults.rewrite("list", rewritten)


def test_a_url_that_is_not_there_yet_is_no_guess(sandbox: Sandbox) -> None:
    """The text says so and names the command, JSON has null, and a single one is an error."""
    set_urls(sandbox, "")
    sandbox.declare(item("chat"))
    assert outputs(sandbox.apply()) == [
        "chat = (Novita has not assigned a URL yet)",
        "",
        "To ask for a missing URL again: reconciler output chat",
    ]
    ran = sandbox.run("output")
    assert ran.out == "chat = (Novita has not assigned a URL yet)\n"
    assert "reconciler watch chat" in ran.err
    assert sandbox.run("output", "--json").document["chat"]["value"] is None
    assert sandbox.run("output", "--env").out == ""
    ran = sandbox.run("output", "chat")
    assert (ran.code, ran.out) == (1, "")


def test_a_wait_ends_with_a_url_that_came_late(sandbox: Sandbox) -> None:
    """It was not there when the endpoint was read back, and is there when it serves."""
    set_urls(sandbox, "")
    sandbox.declare(item("chat", minReplicas=0))
    sandbox.sim.faults.after("get", lambda _: sandbox.sim.faults.clear())
    ran = sandbox.apply("--wait")
    assert outputs(ran) == [f"chat = {url(sandbox, 'chat')}"]


def test_a_hostile_url_is_escaped(sandbox: Sandbox, tmp_path: Path) -> None:
    """It writes no second line, no markup, and no line of a `.env` file at all."""
    set_urls(sandbox, "https://x\nPATH=/tmp\r\x1b[2J::set-output name=a::b<script>|")
    sandbox.declare(item("chat"))
    html = tmp_path / "report.html"
    applied = sandbox.apply("--html-into", str(html))
    for ran in (applied, sandbox.run("output"), sandbox.run("output", "chat")):
        assert sum("https://x" in line for line in ran.out.splitlines()) == 1
        assert "\nPATH" not in ran.out
        assert "\x1b" not in ran.out
    assert "<script>" not in html.read_text()
    ran = sandbox.run("output", "--env")
    assert (ran.code, ran.out) == (1, "")
    assert "not safe in a `.env` file" in ran.err


def test_the_commands_of_the_page_run(sandbox: Sandbox) -> None:
    """Each one, as it is written."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    (script,) = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert script.count("reconciler output") == 5
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    bash = shutil.which("bash") or ""
    done = subprocess.run(
        [bash, "-euo", "pipefail", "-c", script],
        cwd=sandbox.root, env=environ, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    there = url(sandbox, "chat")
    assert done.stdout.startswith(f"chat = {there}\n{there}\n")
    assert done.stdout.endswith(f'"{there}"\nCHAT_URL={there}\n')


def test_a_url_with_the_key_of_the_account_is_masked(sandbox: Sandbox) -> None:
    """Wherever it is shown, and nothing is sent there."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    set_urls(sandbox, f"https://example.com/{KEY}/x")
    for command in (
        ("output",),
        ("output", "chat"),
        ("output", "--env"),
        ("list",),
        ("get", "chat"),
        ("call", "chat"),
    ):
        for more in ((), ("--json",)):
            if "--env" not in command or not more:
                ran = sandbox.run(*command, *more)
                assert KEY not in ran.out + ran.err, command
    assert "holds the API key of the account" in sandbox.run("call", "chat").err
    ran = sandbox.run("output", "--env")
    assert (ran.code, ran.out) == (1, "")
