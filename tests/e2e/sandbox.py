"""A folder, a simulated account behind a socket, and the command line."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import run as run_command
from reconciler.simulator import Received, Request, Server
from tests.documents import check_output, command_of
from tests.fork_server import ForkServer

ROOT = Path(__file__).resolve().parents[2]
API = "/gpu-instance/openapi/v1"
WRITES = ("create", "update", "delete")
KEY = "sk_the-api-key-itself"

SPECS = {
    "specs": [
        {
            "name": "small",
            "resources": {"gpu": "1", "ephemeralStorage": "100"},
            "platforms": {"novita": {"productId": "SL-serverless-3", "region": "us-dallas-nas-2"}},
        },
        {
            "name": "large",
            "resources": {"gpu": "2", "ephemeralStorage": "80"},
            "platforms": {
                "novita": {"productId": "SL-serverless-2", "region": "us-dallas-nas-2", "cudaVersion": "12.4"}
            },
        },
    ]
}


def item(name: str, **fields: Any) -> dict[str, Any]:
    """Return a declared endpoint that can be created."""
    return {"endpoint": name, "specName": "small", "image": "ubuntu:22.04", **fields}


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Return the JSON document on stdout."""
        return json.loads(self.out)

    @property
    def actions(self) -> dict[str, str]:
        """Return name -> action of every pending change of a plan document."""
        return {
            change["name"]: change["action"]
            for change in self.document["resource_changes"]
            if change["action"] != "no-op"
        }

    @property
    def codes(self) -> list[str]:
        """Return the codes of the problems in a plan document."""
        return [problem["code"] for problem in self.document["problems"]]


class Keys:
    """Typed answers to prompts; `before` runs each time that an answer is read."""

    def __init__(self, text: str, before: Callable[[], object] = lambda: None) -> None:
        self._text = io.StringIO(text)
        self._before = before

    def readline(self) -> str:
        self._before()
        return self._text.readline()

    def isatty(self) -> bool:
        return False


@dataclass(kw_only=True)
class Sandbox:
    """The place of a test. `run` calls the command in this process, `start` in another one."""

    root: Path
    sim: Server
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    request: pytest.FixtureRequest
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, name: str, content: Any) -> Path:
        """Write a file with a text, or with a value as JSON, which is YAML."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
        return path

    def declare(self, *items: Mapping[str, Any], **more: Any) -> None:
        self.write("endpoints.yaml", {**more, "endpoints": list(items)})

    def run(self, *args: str, typed: str | Keys = "") -> CommandResult:
        keys = Keys(typed) if isinstance(typed, str) else typed
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", keys)
            self.capsys.readouterr()
            code = run_command(list(args))
            output = self.capsys.readouterr()
        assert "Traceback" not in output.out + output.err, output.err[-3000:]
        if {"--json", "--events"} & set(args) and (command := command_of(args)):
            check_output(command, args, output.out)
        return CommandResult(code=code, out=output.out, err=output.err)

    def plan(self, *args: str) -> CommandResult:
        return self.run("plan", "--json", "--detailed-exitcode", *args)

    def apply(self, *args: str) -> CommandResult:
        """Run an apply that must succeed."""
        ran = self.run("apply", "--auto-approve", *args)
        assert ran.code == 0, ran.err + ran.out
        return ran

    def start(self, *args: str, **options: Any) -> subprocess.Popen[str]:
        """Start the command as a process; its streams are pipes by default."""
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", *args],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            text=True,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )
        self.started.append(process)
        return process

    def killed(
        self,
        operation: str,
        *args: str,
        when: str = "after",
        nth: int = 1,
        command: Sequence[str] = ("apply", "--auto-approve"),
    ) -> None:
        """Kill a command right before or after Novita performs its nth call of that operation."""

        server: ForkServer = self.request.getfixturevalue("fork_server")
        pid, code = Future[int](), Future[int]()

        def kill(_request: Request) -> None:
            os.kill(pid.result(60), signal.SIGKILL)
            code.set_result(server.wait(pid.result()))

        getattr(self.sim.faults, when)(operation, kill, nth=nth)
        before = len(self.sent(operation))
        output = self.root.parent / "killed.log"
        pid.set_result(server.start([*command, *args], cwd=self.root, env=os.environ, out=output))
        try:
            assert code.result(60) == -signal.SIGKILL
        except TimeoutError:
            pytest.fail(f"{operation} {nth} was not received:\n{output.read_text()}")
        # The process is dead before Novita has finished its call.
        self._await(lambda: len(self.sent(operation)) >= before + nth, f"{operation} {nth} was not received")

    def process(self, *args: str) -> CommandResult:
        """Run the command as a process."""
        process = self.start(*args)
        out, err = process.communicate(timeout=60)
        assert "Traceback" not in out + err
        return CommandResult(code=process.returncode, out=out, err=err)

    def live(self) -> dict[str, dict[str, Any]]:
        """Return name -> endpoint of the account."""
        return {endpoint["name"]: endpoint for endpoint in self.sim.world.endpoints}

    def await_live(self, name: str) -> None:
        """Wait until the account has an endpoint of that name."""
        self._await(lambda: name in self.live(), f"{name} was not made")

    def _await(self, is_so: Callable[[], bool], message: str) -> None:
        end = time.monotonic() + 60
        while not is_so():
            assert time.monotonic() < end, message
            time.sleep(0.01)

    def id(self, name: str) -> str:
        return str(self.live()[name]["id"])

    def url(self, name: str) -> str:
        """Return the URL of an endpoint, whose app name is its name."""
        return f"{self.sim.url}/run/{self.id(name)}-{name}"

    def sent(self, *operations: str) -> list[Received]:
        """Return the received requests of these operations; without any, all writes."""
        return [one for one in self.sim.requests if one.operation in (operations or WRITES)]

    @property
    def operations(self) -> set[str]:
        """Return the operations of all requests so far."""
        return {received.operation for received in self.sim.requests}

    def files(self) -> dict[str, bytes]:
        """Return the content of every file below the folder."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }

    @property
    def inventory(self) -> dict[str, Any]:
        """Return the records of the inventory file."""
        found: dict[str, Any] = json.loads((self.root / "state/novita.json").read_text())["endpoints"]
        return found
