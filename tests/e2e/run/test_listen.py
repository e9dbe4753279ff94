"""`reconciler run --listen`: the page of a real process, its approval, its health and the hook."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest

from tests.e2e.sandbox import ROOT, Sandbox, item
from tests.terminal import on_terminal

TOKEN = "a-token-that-may-write"
SECRET = "the-secret-of-the-git-server"


class Daemon:
    """A process of `run --listen`, and its log."""

    def __init__(self, sandbox: Sandbox, *words: str) -> None:
        sandbox.monkeypatch.setenv("RECONCILER_API_TOKENS", f"ada:{TOKEN}:write")
        sandbox.monkeypatch.setenv("HOOK_SECRET", SECRET)
        options = ("--poll", "60m", "--interval", "60m", "--listen", "127.0.0.1:0")
        self.process = sandbox.start("run", *options, "--hook-secret-env", "HOOK_SECRET", *words)
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.port = int(self.await_line(r"Serving the page on http://127\.0\.0\.1:(\d+)")[1])

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.lines.append(line)

    def await_line(self, pattern: str) -> re.Match[str]:
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            for line in list(self.lines):
                if found := re.search(pattern, line):
                    return found
            time.sleep(0.02)
        raise AssertionError(f"{pattern} is not in {self.lines}")

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str, str]:
        """Return the status, the body and the cookie."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text, answer.getheader("Set-Cookie", "").partition(";")[0]

    def await_ready(self) -> None:
        end = time.monotonic() + 30
        while self.ask("GET", "/readyz")[0] != 200:
            assert time.monotonic() < end, self.lines
            time.sleep(0.05)

    def sign_in(self) -> tuple[str, str]:
        """Return the cookie and the key of the forms."""
        body = urlencode({"key": key_of(self.ask("GET", "/sign-in")[1]), "token": TOKEN})
        _, _, cookie = self.post("/sign-in", body)
        return cookie, key_of(self.ask("GET", "/sync", Cookie=cookie)[1])

    def post(self, path: str, body: str, **headers: str) -> tuple[int, str, str]:
        return self.ask(
            "POST", path, body.encode(), Content_Type="application/x-www-form-urlencoded", **headers
        )

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(30) == 0, self.lines
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._reader.join()
        assert "Traceback" not in "".join(self.lines)


def key_of(page: str) -> str:
    found = re.search(r'name="key" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.fixture
def daemon(sandbox: Sandbox) -> Iterator[Daemon]:
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 0.05}})
    sandbox.declare(item("chat"))
    daemon = Daemon(sandbox)
    yield daemon
    if daemon.process.poll() is None:
        daemon.end()


def test_a_waiting_plan_is_approved_on_the_page_and_applied(sandbox: Sandbox, daemon: Daemon) -> None:
    daemon.await_ready()
    assert daemon.ask("GET", "/healthz")[0] == 200
    cookie, key = daemon.sign_in()
    page = daemon.ask("GET", "/sync", Cookie=cookie)[1]
    assert "A plan waits for approval" in page
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert digest
    status, text, _ = daemon.post(
        "/sync/approve", urlencode({"key": key, "of": "", "digest": digest[1]}), Cookie=cookie
    )
    assert status == 303, text
    sandbox.await_live("chat")
    assert len(sandbox.sent("create")) == 1
    end = time.monotonic() + 60
    while 'name="digest"' in daemon.ask("GET", "/sync", Cookie=cookie)[1]:
        assert time.monotonic() < end
        time.sleep(0.05)
    status, text, _ = daemon.post(
        "/sync/approve", urlencode({"key": key, "of": "", "digest": digest[1]}), Cookie=cookie
    )
    assert status == 409, "it was applied"
    daemon.end()
    assert sandbox.run("plan", "--detailed-exitcode").code == 0
    assert "ada" in sandbox.run("history").out


def test_a_waiting_plan_is_approved_on_a_terminal_elsewhere(sandbox: Sandbox, daemon: Daemon) -> None:
    daemon.await_ready()
    cookie, _ = daemon.sign_in()
    found = re.search(r'(?<=name="digest" value=")[0-9a-f]{64}', daemon.ask("GET", "/sync", Cookie=cookie)[1])
    assert found
    elsewhere = sandbox.root.parent / "elsewhere"
    elsewhere.mkdir()
    state = str(sandbox.root / "state/novita.json")
    command = [sys.executable, "-m", "reconciler", "--state", state, "approve", found[0]]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    code, screen = on_terminal(command, environ, cwd=elsewhere, answer="yes")
    assert code == 0, screen
    assert "applies it within 5 s" in screen
    sandbox.await_live("chat")


def test_a_push_is_acted_on_at_once(sandbox: Sandbox, daemon: Daemon) -> None:
    daemon.await_ready()
    sandbox.declare(item("chat"), item("embed"))
    body = b'{"ref": "refs/heads/main"}'
    signature = "sha256=" + hmac.digest(SECRET.encode(), body, hashlib.sha256).hex()
    assert daemon.ask("POST", "/hook", body)[0] == 401
    assert daemon.ask("POST", "/hook", body, X_Hub_Signature_256=signature)[0] == 202
    end = time.monotonic() + 60
    while "embed" not in daemon.ask("GET", "/api/v1/sync", Authorization=f"Bearer {TOKEN}")[1]:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_metrics_are_those_of_the_rounds(sandbox: Sandbox, daemon: Daemon) -> None:
    daemon.await_ready()
    text = daemon.ask("GET", "/metrics")[1]
    assert 'novita_reconciler_leader{environment=""} 1.0' in text
    assert 'novita_reconciler_plan_waiting{environment=""} 1.0' in text
    assert 'novita_reconciler_balance_usd{environment=""} 100.0' in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--hook-secret-env", "X"), "belong to --listen"),
        (("--allowed-host", "x"), "belong to --listen"),
        (("--listen", "127.0.0.1:0", "--once"), "does not go with --once"),
        (("--listen", "here"), "is not HOST:PORT"),
        (("--listen", "0.0.0.0:0"), "Set RECONCILER_API_TOKENS"),
        (("--listen", "127.0.0.1:0", "--hook-secret-env", "NOT_SET"), "NOT_SET is not set"),
    ],
)
def test_settings_that_cannot_be_are_refused(sandbox: Sandbox, words: tuple[str, ...], message: str) -> None:
    ran = sandbox.run("run", *words)
    assert ran.code != 0
    assert message in ran.err


def test_a_port_in_use_is_said(sandbox: Sandbox, daemon: Daemon) -> None:
    ran = sandbox.run("run", "--listen", f"127.0.0.1:{daemon.port}")
    assert ran.code == 1
    assert f"cannot listen on 127.0.0.1:{daemon.port}" in ran.err


def test_each_environment_names_its_command_and_has_a_page(sandbox: Sandbox) -> None:
    names = {one: {"state": f"state/{one}.json", "name": f"{{name}}-{one}"} for one in ("dev", "prod")}
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 0.05}, "environments": names})
    sandbox.declare(item("chat"))
    daemon = Daemon(sandbox, "--all-environments")
    command = daemon.await_line(r"prod: A plan waits .*; (reconciler -e prod approve [0-9a-f]{64})")[1]
    daemon.await_ready()
    cookie, _ = daemon.sign_in()
    assert command.split()[-1] in daemon.ask("GET", "/environments/prod", Cookie=cookie)[1]
    words = [sys.executable, "-m", *command.split()]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    assert on_terminal(words, environ, cwd=sandbox.root, answer="yes")[0] == 0
    sandbox.await_live("chat-prod")
    daemon.end()
