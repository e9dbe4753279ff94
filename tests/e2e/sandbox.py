"""A folder, an account behind a real socket, and the command between them."""

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
                "novita": {"productId": "SL-serverless-9", "region": "us-dallas-nas-2", "cudaVersion": "12.4"}
            },
        },
    ]
}


def item(name: str, **fields: Any) -> dict[str, Any]:
    """A declared endpoint, complete enough to be created."""
    return {"endpoint": name, "specName": "small", "image": "ubuntu:22.04", **fields}


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def actions(self) -> dict[str, str]:
        """Name -> action of every pending change of a plan document."""
        return {
            change["name"]: change["action"]
            for change in self.document["resource_changes"]
            if change["action"] != "no-op"
        }

    @property
    def codes(self) -> list[str]:
        """The codes of the problems in a plan document."""
        return [problem["code"] for problem in self.document["problems"]]


class Keys:
    """What a person types at the prompt; `before` runs whenever an answer is about to be read."""

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
    """Where a test works. `run` calls the command in this process, `start` in one of its own."""

    root: Path
    sim: Server
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    request: pytest.FixtureRequest
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, name: str, content: Any) -> Path:
        """A file of that text, or of that value: JSON is YAML."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
        return path

    def declare(self, *items: Mapping[str, Any], **more: Any) -> None:
        self.write("endpoints.yaml", {**more, "endpoints": list(items)})

    def run(self, *args: str, typed: str | Keys = "") -> Ran:
        keys = Keys(typed) if isinstance(typed, str) else typed
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", keys)
            self.capsys.readouterr()
            code = run_command(list(args))
            said = self.capsys.readouterr()
        assert "Traceback" not in said.out + said.err, said.err[-3000:]
        return Ran(code=code, out=said.out, err=said.err)

    def plan(self, *args: str) -> Ran:
        return self.run("plan", "--json", "--detailed-exitcode", *args)

    def apply(self, *args: str) -> Ran:
        """An apply that must succeed."""
        ran = self.run("apply", "--auto-approve", *args)
        assert ran.code == 0, ran.err + ran.out
        return ran

    def start(self, *args: str, **options: Any) -> subprocess.Popen[str]:
        """The command as a process; its streams are pipes unless said otherwise."""
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
        """A command that dies right before or after Novita acts on its nth call of that kind."""

        server: ForkServer = self.request.getfixturevalue("fork_server")
        pid, code = Future[int](), Future[int]()

        def kill(_request: Request) -> None:
            os.kill(pid.result(20), signal.SIGKILL)
            code.set_result(server.wait(pid.result()))

        getattr(self.sim.faults, when)(operation, kill, nth=nth)
        before = len(self.sent(operation))
        output = self.root.parent / "killed.log"
        pid.set_result(server.start([*command, *args], cwd=self.root, env=os.environ, out=output))
        try:
            assert code.result(30) == -signal.SIGKILL
        except TimeoutError:
            pytest.fail(f"{operation} {nth} was not received:\n{output.read_text()}")
        # It is dead before Novita is done with its call.
        self._await(lambda: len(self.sent(operation)) >= before + nth, f"{operation} {nth} was not received")

    def process(self, *args: str) -> Ran:
        """The command as a process, to its end."""
        process = self.start(*args)
        out, err = process.communicate(timeout=60)
        assert "Traceback" not in out + err
        return Ran(code=process.returncode, out=out, err=err)

    def live(self) -> dict[str, dict[str, Any]]:
        """Name -> endpoint, as the account has it."""
        return {endpoint["name"]: endpoint for endpoint in self.sim.world.endpoints}

    def await_live(self, name: str) -> None:
        """Wait until the account has made an endpoint of that name."""
        self._await(lambda: name in self.live(), f"{name} was not made")

    def _await(self, is_so: Callable[[], bool], complaint: str) -> None:
        end = time.monotonic() + 20
        while not is_so():
            assert time.monotonic() < end, complaint
            time.sleep(0.01)

    def id(self, name: str) -> str:
        return str(self.live()[name]["id"])

    def sent(self, *operations: str) -> list[Received]:
        """The requests received so far of these operations; without any, all writes."""
        return [one for one in self.sim.requests if one.operation in (operations or WRITES)]

    def files(self) -> dict[str, bytes]:
        """Every file below the folder."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }

    @property
    def inventory(self) -> dict[str, Any]:
        """The records of the map on disk."""
        found: dict[str, Any] = json.loads((self.root / "state/novita.json").read_text())["endpoints"]
        return found
