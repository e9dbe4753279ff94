"""`reconciler mcp` as a process: the protocol on stdout, the log on stderr, and no traceback at the end."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp.client import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

from reconciler.simulator import Server

from .conftest import ROOT, Folder


def start(folder: Folder, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", "-C", str(folder.path), *options, "mcp"],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **folder.environ},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def message(number: int, method: str, **parameters: Any) -> bytes:
    return (
        json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}).encode() + b"\n"
    )


HELLO = (
    message(
        1,
        "initialize",
        protocolVersion="2025-06-18",
        capabilities={},
        clientInfo={"name": "t", "version": "1"},
    )
    + b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n'
)


def test_a_client_of_the_sdk_plans_and_applies(folder: Folder, tmp_path: Path) -> None:
    """The whole way of an assistant, with the approval by a person between."""

    async def talk() -> list[Any]:
        parameters = StdioServerParameters(
            command=sys.executable,
            args=["-m", "reconciler", "-C", str(folder.path), "-v", "mcp"],
            env={"PYTHONPATH": str(ROOT), **folder.environ},
        )
        with (tmp_path / "log").open("w") as log:
            async with stdio_client(parameters, errlog=log) as streams, ClientSession(*streams) as session:
                await session.initialize()
                planned = await session.call_tool("plan", {})
                digest = planned.structured_content["digest"]
                early = await session.call_tool("apply", {"digest": digest})
                folder.approve(digest)
                applied = await session.call_tool("apply", {"digest": digest})
                listed = await session.call_tool("list", {})
        return [early, applied, listed]

    early, applied, listed = asyncio.run(talk())
    assert early.is_error
    assert not applied.is_error
    assert {one["name"] for one in listed.structured_content["document"]} == {"chat", "embed"}
    log = (tmp_path / "log").read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [(line["tool"], line["outcome"]) for line in lines] == [
        ("plan", "ok"), ("apply", "error"), ("apply", "ok"), ("list", "ok"),
    ]  # fmt: skip
    assert "endpoint/create 200" in log  # the calls that -v logs
    assert "Traceback" not in log


def test_only_the_protocol_is_on_stdout(folder: Folder) -> None:
    """Also with a log of calls, and after input that is no protocol."""
    process = start(folder, "-v")
    talk = HELLO + b"no json\n\xff\xfe\n[]\n" + message(2, "tools/call", name="plan", arguments={})
    talk += message(3, "tools/call", name="nope", arguments={}) + message(4, "no/such/method")
    assert process.stdin
    process.stdin.write(talk)
    process.stdin.flush()
    answers: dict[int, Any] = {}
    assert process.stdout
    while not {1, 2, 3, 4} <= set(answers):
        line = process.stdout.readline()
        assert line
        answer = json.loads(line)
        assert answer["jsonrpc"] == "2.0"
        answers[answer.get("id")] = answer
    out, err = process.communicate(timeout=120)  # closes stdin
    assert (process.returncode, out) == (0, b"")
    assert answers[2]["result"]["structuredContent"]["document"]["summary"]["create"] == 2
    assert answers[3]["result"]["isError"]
    assert "error" in answers[4]
    assert b"GET " in err
    assert b"Traceback" not in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it(folder: Folder, number: int) -> None:
    process = start(folder)
    assert process.stdin
    assert process.stdout
    process.stdin.write(HELLO)
    process.stdin.flush()
    assert process.stdout.readline()
    process.send_signal(number)
    assert process.wait(120) == 0
    _, err = process.communicate(timeout=120)
    assert err == b""


@pytest.mark.parametrize("ending", ["eof", "signal"])
def test_what_is_being_written_is_finished(folder: Folder, sim: Server, ending: str) -> None:
    """The create in flight is recorded; the client that went away cannot interrupt it."""
    process = start(folder)
    assert process.stdin
    assert process.stdout
    digest = folder.assistant.digest()
    folder.approve(digest)
    sim.world.latency = 0.3
    process.stdin.write(HELLO + message(2, "tools/call", name="apply", arguments={"digest": digest}))
    process.stdin.flush()
    assert process.stdout.readline()
    while not any(request.path.endswith("/create") for request in sim.requests):
        assert process.poll() is None
    if ending == "eof":
        process.stdin.close()
    else:
        process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 0
    process.stdout.close()
    assert process.stderr
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    if ending != "eof":
        process.stdin.close()
    records = json.loads((folder.path / "state" / "novita.json").read_text())["endpoints"]
    live = {one["name"]: one["id"] for one in sim.world.endpoints}
    assert live
    assert {name: record["id"] for name, record in records.items()} == live


def test_stdout_is_for_the_protocol(folder: Folder) -> None:
    process = start(folder, "--json")
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 64
    assert b"stdout of mcp is for its protocol" in out


def test_without_the_extra_it_says_what_to_install(folder: Folder) -> None:
    script = (
        "import importlib.util, sys\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'mcp' else find(name, *rest)\n"
        "from reconciler.cli.main import run\n"
        "code = run(['mcp'])\n"
        "assert not {'mcp', 'pydantic', 'starlette'} & set(sys.modules)\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder.path, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert "mcp needs packages that are not installed (mcp)" in done.stderr
    assert "pip install 'novita-reconciler[mcp]'" in done.stderr
