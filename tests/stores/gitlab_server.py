"""A server of Terraform states on loopback, with the rules of GitLab or of a plain Terraform http server.

The rules of GitLab are those of its source: `lib/api/terraform/state.rb` and `remote_state_handler.rb`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.http_server import http_server

USER, PASSWORD = "gitlab-user", "a-token-that-nobody-may-see"
GITLAB_PATH = "/api/v4/projects/42/terraform/state/"
LOCK_FIELDS = ("ID", "Operation", "Info", "Who", "Version", "Created", "Path")


@dataclass
class State:
    """The versions of one state by serial, and its lock. A plain server has only one version."""

    versions: dict[int, bytes] = field(default_factory=dict)
    lock: dict[str, str] = field(default_factory=dict)

    @property
    def latest(self) -> bytes | None:
        return self.versions[max(self.versions)] if self.versions else None


@dataclass(kw_only=True)
class StateServer:
    """States by path. `requests` are (method, path with query) as they came, `authorizations` their header.

    faults: what happens to the next requests with a method, one after the other. A number is answered as the
    status, without effect; `lost` and `dropped` close the connection after and before the request had its
    effect; `slow` answers after 0.3 s; `nonsense` answers 200 without JSON,
    `wrong-digest` with another Content-MD5, and `redirect` sends elsewhere.
    max_size: bytes of a state, 0 for no limit. ignores_locks: LOCK always succeeds. clock: seconds that the
    header Date is ahead. retry_after: that header of answers that are faults.
    """

    port: int = 0
    states: dict[str, State] = field(default_factory=dict)
    faults: dict[str, list[int | str]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    max_size: int = 0
    ignores_locks: bool = False
    redirect_to: str = "https://elsewhere.example/state"
    clock: float = 0.0
    retry_after: str = ""
    guard: threading.RLock = field(default_factory=threading.RLock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def gitlab(self, name: str) -> str:
        """Return the address of a state that GitLab manages."""
        return f"{self.url}{GITLAB_PATH}{name}"

    def plain(self, name: str) -> str:
        """Return the address of a state of a plain Terraform http server."""
        return f"{self.url}/states/{name}"

    def state(self, address: str) -> State:
        """Return the state at an address."""
        return self.states.setdefault(urlsplit(address).path, State())

    def count(self, method: str) -> int:
        return sum(sent == method for sent, _ in self.requests)


def environment(server: StateServer) -> dict[str, str]:
    """Return the variables with the credential of a server."""
    return {"TF_HTTP_USERNAME": USER, "TF_HTTP_PASSWORD": PASSWORD}


@contextmanager
def state_server() -> Iterator[StateServer]:
    served = StateServer()

    class Handler(_Handler):
        server_state = served

    with http_server(Handler) as port:
        served.port = port
        yield served


class _Handler(BaseHTTPRequestHandler):
    server_state: StateServer
    disable_nagle_algorithm = True
    wbufsize = -1

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + self.server_state.clock)

    def _serve(self) -> None:
        served, length = self.server_state, int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # the client was killed
            self.close_connection = True
            return None
        with served.guard:
            served.requests.append((self.command, self.path))
            served.authorizations.append(self.headers.get("Authorization", ""))
            served.bodies.append(body)
            waiting = served.faults.get(self.command)
            fault = waiting.pop(0) if waiting else ""
        match fault:
            case int():
                headers = {"Retry-After": served.retry_after} if served.retry_after else {}
                return self._answer(fault, b'{"message":"a fault"}', headers)
            case "dropped":
                self.close_connection = True
                return None
            case "nonsense":
                return self._answer(200, b"<html>a login page</html>")
            case "wrong-digest":
                return self._answer(200, b"{}", {"Content-MD5": "AAAA"})
            case "redirect":
                return self._answer(302, b"", {"Location": served.redirect_to})
        with served.guard:
            status, answer = self._effect(body)
        if fault == "lost":
            self.close_connection = True
            return None
        if fault == "slow":
            time.sleep(0.3)
        return self._answer(status, answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_LOCK = do_UNLOCK = _serve  # noqa: N815 - names of http.server

    def _effect(self, body: bytes) -> tuple[int, bytes]:
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") not in (expected, _job_token()):
            return 401, b'{"message":"401 Unauthorized"}'
        if body and self.headers.get("Content-MD5") != base64.b64encode(hashlib.md5(body).digest()).decode():
            return 400, b'{"message":"Content-MD5 does not match"}'
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path.startswith(GITLAB_PATH):
            return self._gitlab(url.path, query, body)
        if "/terraform/state/" in url.path:
            return 404, b'{"message":"404 Project Not Found"}'
        return self._plain(url.path, query, body)

    def _gitlab(self, path: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        states = self.server_state.states
        if path.endswith("/lock"):
            state = states.setdefault(path.removesuffix("/lock"), State())
            return self._gitlab_lock(state, query, body)
        if self.command == "GET":
            if path not in states:
                return 404, b'{"message":"404 Not found"}'
            latest = states[path].latest
            return (204, b"") if latest is None else (200, latest)
        if not body:
            return 204, b""
        if self.server_state.max_size and len(body) > self.server_state.max_size:
            return 413, b'{"message":"413 Request Entity Too Large"}'
        try:
            serial = json.loads(body).get("serial")
        except ValueError:
            return 422, b'{"message":"422 Unprocessable entity - invalid JSON"}'
        if not isinstance(serial, int):
            return 422, b'{"message":"422 Unprocessable entity - No serial in payload"}'
        state = states.setdefault(path, State())
        if state.lock.get("ID", "") != query.get("ID", ""):
            return 409, b'{"message":"409 Conflict"}'
        if serial in state.versions:
            return 422, b'{"message":"PG::UniqueViolation"}'
        state.versions[serial] = body
        return 200, b"null"

    def _gitlab_lock(self, state: State, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if self.command == "DELETE":
            if query.get("ID") is not None and query["ID"] != state.lock.get("ID"):
                return 409, b""
            state.lock = {}
            return 200, b"null"
        info = json.loads(body)
        if any(not isinstance(info.get(name), str) for name in LOCK_FIELDS) or len(info["ID"]) > 255:
            return 400, b'{"error":"a field is missing"}'
        status = 409 if state.lock else 200
        if not state.lock:
            state.lock = {"ID": info["ID"], "Who": USER, "Created": "2026-11-28T12:00:00.000Z"}
        # Only these three are kept. The others are those of the run that asks.
        return status, json.dumps({**info, **state.lock}).encode()

    def _plain(self, path: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        state = self.server_state.states.setdefault(path, State())
        match self.command:
            case "GET":
                return (404, b"") if state.latest is None else (200, state.latest)
            case "LOCK":
                if state.lock and not self.server_state.ignores_locks:
                    return 423, json.dumps(state.lock).encode()
                state.lock = json.loads(body)
                return 200, b""
            case "UNLOCK":
                if body and json.loads(body).get("ID") not in ("", None, state.lock.get("ID")):
                    return 409, json.dumps(state.lock).encode()
                state.lock = {}
                return 200, b""
            case "POST" | "PUT":
                if state.lock and query.get("ID") != state.lock["ID"]:
                    return 423, json.dumps(state.lock).encode()
                if self.server_state.max_size and len(body) > self.server_state.max_size:
                    return 413, b""
                state.versions = {0: body}
                return 200, b""
        return 405, b""

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)


JOB_TOKEN = "a-job-token-that-nobody-may-see"


def _job_token() -> str:
    return "Basic " + base64.b64encode(f"gitlab-ci-token:{JOB_TOKEN}".encode()).decode()
