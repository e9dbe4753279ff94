"""Helpers for the tests of the HTTP package: a scripted server in this process, a clock, and requests."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.errors import ApiError
from reconciler.model.request import API_ROOT, Request
from reconciler.model.secrets import Secret
from reconciler.novita.http.client import CallInfo, Client
from reconciler.novita.http.retry import Timing

KEY = "sk-test-4f1c9a7e2b"
NO_HEADERS: Mapping[str, str] = {}
Reply = tuple[int, Mapping[str, str], bytes]

GET = Request(method="GET", path=f"{API_ROOT}/endpoint", query={"id": "abc123"})
LIST = Request(method="GET", path=f"{API_ROOT}/endpoints", query={"pageSize": "100", "pageNum": "0"})
CREATE = Request(
    method="POST", path=f"{API_ROOT}/endpoint/create", body={"endpoint": {"name": "web"}}, is_idempotent=False
)
UPDATE = Request(method="POST", path=f"{API_ROOT}/endpoint/update", body={"id": "abc123", "name": "web"})
DELETE = Request(method="POST", path=f"{API_ROOT}/endpoint/delete", body={"id": "abc123", "name": "abc123"})


def secret(text: str = KEY) -> Secret:
    return Secret(text, "${env:NOVITA_API_KEY}")


def reply(status: int, body: object = None, **headers: str) -> Reply:
    """An answer with JSON, or with the text or bytes given as they are."""
    raw = body.encode() if isinstance(body, str) else body
    content = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, content


def refusal(status: int, reason: str, message: str = "no", **headers: str) -> Reply:
    """An error as Novita writes it."""
    return reply(status, {"code": status, "reason": reason, "message": message, "metadata": {}}, **headers)


@dataclass
class Stub:
    """Answers from a script; the last answer is repeated. An exception in the script is raised."""

    script: list[Reply | Exception]
    seen: list[tuple[str, str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.seen.append((method, target, json.loads(body) if body else None))
        self.headers.append(headers)
        answer = self.script[min(len(self.seen), len(self.script)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class ManualTime:
    """A clock that only sleeping moves; `cost` seconds pass at each look, as if calls took that long."""

    slept: list[float] = field(default_factory=list)
    at: float = 1000.0
    cost: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    def clock(self) -> float:
        self.at += self.cost
        return self.at

    def timing(self) -> Timing:
        return Timing(sleep=self.sleep, clock=self.clock, now=lambda: 1_700_000_000.0, jitter=lambda: 0.0)


def client_of(
    *script: Reply | Exception,
    time: ManualTime | None = None,
    on_call: Callable[[CallInfo], None] | None = None,
) -> tuple[Client, Stub]:
    """A client of a scripted server that waits for nothing."""
    stub = Stub(list(script))
    timing = (time or ManualTime()).timing()
    return Client("https://api.test", secret(), app=stub, timing=timing, on_call=on_call), stub


def told(error: ApiError) -> str:
    """All that a user reads of an error, and all that a developer might."""
    parts = [repr(error), str(error), error.reason, repr(error.__cause__)]
    for problem in error.problems:
        parts += [problem.code, problem.summary, problem.detail, problem.hint, repr(problem)]
    return "\n".join(parts)
