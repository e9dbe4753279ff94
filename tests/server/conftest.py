"""A server as a process, on a copy of the folder of the seed, over real sockets to a simulated account."""

from __future__ import annotations

import hashlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from reconciler.cli.main import run
from reconciler.server import app, process, responses
from reconciler.simulator import Server

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk_the-api-key-itself"
WRITER, READER = "w-token-that-nobody-can-guess", "r-token-that-nobody-can-guess"
TOKENS = f"ci:sha256={hashlib.sha256(WRITER.encode()).hexdigest()}:write, eve:{READER}:read"


class Answer:
    """One HTTP answer; header names are in lower case."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Sends requests to a server on this machine."""

    sim: Server
    folder: Path
    log: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Answer:
        """Send one request on a connection of its own. `body`: bytes, or an object that is sent as JSON."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        fields = {"Content-Type": "application/json"} if content is not None else {}
        if token:
            fields["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, path, content, {**fields, **(headers or {})})
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
        finally:
            connection.close()

    def get(self, path: str, **options: Any) -> Answer:
        return self.ask("GET", path, **options)

    def stop(self) -> int:
        """Stop the server and return its exit code."""
        raise NotImplementedError


class Serve(Client):
    """`reconciler serve` in a process."""

    def __init__(self, folder: Path, environ: Mapping[str, str], options: Sequence[str] = ()) -> None:
        command = [sys.executable, "-m", "reconciler", "-C", str(folder), "serve", "--listen", "127.0.0.1:0"]
        self.folder = folder
        self.log = folder / "serve.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *options],
                env={**os.environ, **environ},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.port = self._port()

    def _port(self) -> int:
        assert self.process.stdout
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        line = self.process.stdout.readline() if ready else ""
        match = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert match, f"{line!r} {self.log.read_text()}"
        return int(match[1])

    def stop(self, number: int = signal.SIGTERM, seconds: float = 30) -> int:
        """Signal the process and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise
        if self.process.stdout:
            self.process.stdout.close()
        return code


class ServeInThread(Client):
    """`reconciler serve` in a thread of this process, so that its coverage is measured."""

    def __init__(self, folder: Path, environ: Mapping[str, str], options: Sequence[str] = ()) -> None:
        self.folder, self.log = folder, folder / "serve.log"
        self._patches = pytest.MonkeyPatch()
        self._servers: list[uvicorn.Server] = []
        self._log = self.log.open("a", buffering=1, encoding="utf-8")
        for name, value in environ.items():
            self._patches.setenv(name, value)
        for module in (app, responses):
            self._patches.setattr(module, "sys", SimpleNamespace(stderr=self._log))
        servers = self._servers

        class Recorded(process._Server):  # type: ignore[misc]
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments)
                servers.append(self)

        self._patches.setattr(process, "_Server", Recorded)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        listen = f"127.0.0.1:{self.port}"
        arguments = ["-C", str(folder), "serve", "--listen", listen, *options]
        self.code = -1
        self._thread = threading.Thread(target=self._run, args=(arguments,), name="serve")
        self._thread.start()
        wait_until(lambda: not self._thread.is_alive() or any(one.started for one in self._servers), 60)
        assert self._thread.is_alive()

    def _run(self, arguments: list[str]) -> None:
        self.code = run(arguments)

    def stop(self) -> int:
        for server in self._servers:
            server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive()
        self._log.close()
        self._patches.undo()
        return self.code


@pytest.fixture
def sim() -> Iterator[Server]:
    with Server(seed=1) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the seed's configuration, without declared endpoints."""
    copy = tmp_path / "infra"
    shutil.copytree(ROOT / "examples" / "seed" / "config", copy / "config")
    return copy


Start = Callable[..., Client]
StartProcess = Callable[..., Serve]


@pytest.fixture
def start(sim: Server, folder: Path) -> Iterator[Start]:
    """Starts a server with these options and variables in a thread; all are stopped at the end."""
    servers: list[ServeInThread] = []

    def start(*options: str, **environ: str) -> Client:
        server = ServeInThread(
            folder, {"NOVITA_API_KEY": KEY, "NOVITA_BASE_URL": sim.url, **environ}, options
        )
        servers.append(server)
        return server

    yield start
    for server in reversed(servers):
        server.stop()


@pytest.fixture
def start_process(sim: Server, folder: Path) -> Iterator[StartProcess]:
    """As `start`, in a process, which can be signalled."""
    servers: list[Serve] = []

    def start(*options: str, **environ: str) -> Serve:
        server = Serve(folder, {"NOVITA_API_KEY": KEY, "NOVITA_BASE_URL": sim.url, **environ}, options)
        servers.append(server)
        return server

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.stop()
        elif server.process.stdout:
            server.process.stdout.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One server for the tests of a module; everybody on this machine may write."""
    folder = tmp_path_factory.mktemp("shared") / "infra"
    shutil.copytree(ROOT / "examples" / "seed" / "config", folder / "config")
    with Server(seed=1) as sim:
        environ = {"NOVITA_API_KEY": KEY, "NOVITA_BASE_URL": sim.url, "RECONCILER_API_TOKENS": TOKENS}
        server = ServeInThread(folder, environ, ["--allow-unauthenticated-writes"])
        server.sim = sim
        yield server
        server.stop()


def wait_until(is_true: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until a condition holds, and fail if it does not in that time."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "the condition never came true"
        time.sleep(0.01)
