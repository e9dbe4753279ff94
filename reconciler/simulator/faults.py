"""Faults of the server: scripted, random from a seed, or hooks that run before or after a request."""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any, Literal, get_args

from reconciler.model.lazy_dataclass import dataclass
from reconciler.simulator.api import OPERATIONS, Request, Response, answer, error, error_payload

Kind = Literal[
    "status",  # an error status, not carried out
    "status_after",  # an error status, but carried out, like a gateway's 504
    "error_in_2xx",  # 200 with an error object, not carried out
    "html",  # 403 with an HTML page of the CDN, not carried out
    "html_502",  # 502 with an HTML page of the CDN, not carried out
    "lost_request",  # connection closed, not carried out
    "reset",  # connection reset, not carried out
    "hang",  # no answer for some seconds, then closed, not carried out
    "slow",  # carried out and answered after some seconds
    "lost_answer",  # carried out, connection closed without an answer
    "late_answer",  # carried out at once, answered after some seconds
    "truncated",  # carried out, half of the answer with the full Content-Length
]
KINDS: tuple[Kind, ...] = get_args(Kind)
Hook = Callable[[Request], object]
Rewrite = Callable[[Any], object]
"""Takes the JSON of an answer and returns its replacement: bytes as they are, anything else as JSON."""

_REASONS = {
    400: "VALIDATOR_PARAM",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    429: "RATE_LIMIT_EXCEEDED",
}
_BLOCKED_PAGE = b"""<!DOCTYPE html>
<html><head><title>Access denied</title></head>
<body><h1>Error 1010</h1><p>The owner of this website has banned your access based on your browser's
signature. error code: 1010</p></body></html>
"""
_BAD_GATEWAY_PAGE = b"""<!DOCTYPE html>
<html><head><title>502 Bad gateway</title></head><body><h1>502 Bad gateway</h1></body></html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of the next `times` requests of an operation (`*`: any), or of all requests with None.

    `status`, `reason`, `message` and `retry_after` (seconds) are for `status`, `status_after` and
    `error_in_2xx`. `seconds` is the wait of `hang`, `slow` and `late_answer`. `page`: only requests for this
    page of a listing.
    """

    operation: str = "*"
    kind: Kind = "status"
    times: int | None = 1
    status: int = 500
    reason: str = ""
    message: str = "injected fault"
    retry_after: int | None = None
    seconds: float = 1.0
    page: int | None = None

    @property
    def acts(self) -> bool:
        """Return whether the request is carried out."""
        return self.kind in ("status_after", "slow", "lost_answer", "late_answer", "truncated")

    def response(self) -> Response | None:
        """Return the answer of the fault, or None if it has none of its own."""
        reason = self.reason or _REASONS.get(self.status, "UNKNOWN")
        page = {"content-type": "text/html; charset=UTF-8", "server": "cloudflare"}
        match self.kind:
            case "status" | "status_after":
                headers = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
                return error(self.status, reason, self.message, headers=headers)
            case "error_in_2xx":
                return answer(error_payload(self.status, reason, self.message))
            case "html":
                return Response(status=403, headers=page, body=_BLOCKED_PAGE)
            case "html_502":
                return Response(status=502, headers=page, body=_BAD_GATEWAY_PAGE)
            case _:
                return None


@dataclass(slots=True)
class _Scripted:
    fault: Fault
    left: int | None


@dataclass(slots=True)
class _Hooked:
    operation: str
    callback: Hook
    nth: int


class Faults:
    """The faults of a server. Thread-safe. Scripted faults come first, in the order in which they were added.

    Hooks run only for requests that are carried out.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scripted: list[_Scripted] = []
        self._before: list[_Hooked] = []
        self._after: list[_Hooked] = []
        self._rewrites: list[tuple[str, Rewrite]] = []
        self._random: Random | None = None
        self._rate = 0.0
        self._drawn: Sequence[Fault] = ()
        self._operations: frozenset[str] = frozenset()

    def add(self, fault: Fault) -> None:
        """Add a scripted fault."""
        with self._lock:
            self._scripted.append(_Scripted(fault, fault.times))

    def at_random(
        self, *, seed: int, rate: float, faults: Sequence[Fault] | None = None, operations: Sequence[str] = ()
    ) -> None:
        """Give each request a random fault with probability `rate` (0-1).

        `faults` defaults to one of each kind, `operations` to all. A rate of 0 ends it.
        """
        with self._lock:
            self._random = Random(seed)
            self._rate = rate
            self._drawn = faults or [Fault(kind=kind, seconds=0.1, status=503) for kind in KINDS]
            self._operations = frozenset(operations)

    def before(self, operation: str, callback: Hook, *, nth: int = 1) -> None:
        """Run `callback` just before the nth such request from now is carried out (0: each one)."""
        with self._lock:
            self._before.append(_Hooked(operation, callback, nth))

    def after(self, operation: str, callback: Hook, *, nth: int = 1) -> None:
        """Run `callback` after the nth such request was carried out (0: each one) and before its answer."""
        with self._lock:
            self._after.append(_Hooked(operation, callback, nth))

    def rewrite(self, operation: str, change: Rewrite) -> None:
        """Let `change` rewrite each answer to such a request."""
        with self._lock:
            self._rewrites.append((operation, change))

    def rewritten(self, operation: str, response: Response) -> Response:
        """Return the answer after all rewrites of its operation."""
        with self._lock:
            due = [change for name, change in self._rewrites if name in ("*", operation)]
        for change in due:
            changed = change(json.loads(response.body))
            body = changed if isinstance(changed, bytes) else json.dumps(changed).encode()
            response = replace(response, body=body)
        return response

    def clear(self) -> None:
        """Remove all faults, rewrites and hooks."""
        with self._lock:
            self._rewrites.clear()
            self._scripted.clear()
            self._before.clear()
            self._after.clear()
            self._rate = 0.0

    @property
    def pending(self) -> list[Fault]:
        """The scripted faults that no request has met yet."""
        with self._lock:
            return [scripted.fault for scripted in self._scripted]

    def take(self, operation: str, page: str = "") -> Fault | None:
        """Return the fault of the next request of an operation (`page`: of a listing), or None."""
        with self._lock:
            for scripted in self._scripted:
                wanted = scripted.fault.page
                if scripted.fault.operation in ("*", operation) and (wanted is None or page == str(wanted)):
                    if scripted.left is not None:
                        scripted.left -= 1
                        if scripted.left <= 0:
                            self._scripted.remove(scripted)
                    return scripted.fault
            if self._random is None or (self._operations and operation not in self._operations):
                return None
            return self._random.choice(self._drawn) if self._random.random() < self._rate else None

    def run_before(self, operation: str, request: Request) -> None:
        self._run(self._before, operation, request)

    def run_after(self, operation: str, request: Request) -> None:
        self._run(self._after, operation, request)

    def _run(self, hooks: list[_Hooked], operation: str, request: Request) -> None:
        due = []
        with self._lock:
            for hook in list(hooks):
                if hook.operation not in ("*", operation):
                    continue
                if hook.nth == 0:
                    due.append(hook.callback)
                    continue
                hook.nth -= 1
                if hook.nth == 0:
                    due.append(hook.callback)
                    hooks.remove(hook)
        # Outside the lock, because a callback may add faults or call the simulator.
        for callback in due:
            callback(request)


def parse_fault(text: str) -> Fault:
    """Parse `OPERATION:KIND_OR_STATUS[:TIMES]`: `create:429:2`, `*:lost_answer`, `get:hang=3:always`.

    A kind that waits takes its seconds after `=`. Raise ValueError with a message for the user.
    """
    operation, *rest = text.split(":")
    if not 1 <= len(rest) <= 2:
        raise ValueError(f"{text!r} is not OPERATION:KIND_OR_STATUS[:TIMES], such as create:429:2")
    if operation != "*" and operation not in OPERATIONS:
        raise ValueError(f"unknown operation {operation!r}; one of *, {', '.join(sorted(OPERATIONS))}")
    times = _times(rest[1]) if len(rest) == 2 else 1
    if rest[0].isdigit():
        status = int(rest[0])
        if not 400 <= status <= 599:
            raise ValueError(f"status {status} is no error; take one from 400 to 599")
        return Fault(operation=operation, status=status, times=times)
    name, _, seconds = rest[0].partition("=")
    kind = next((kind for kind in KINDS if kind == name.replace("-", "_")), None)
    if kind is None:
        raise ValueError(f"unknown fault {name!r}; a status, or one of {', '.join(KINDS)}")
    status = 504 if kind == "status_after" else 500
    return Fault(operation=operation, kind=kind, times=times, status=status, seconds=_seconds(seconds))


def _times(text: str) -> int | None:
    if text == "always":
        return None
    if not text.isdigit() or text == "0":
        raise ValueError(f"{text!r} is not a number of times: a number from 1, or always")
    return int(text)


def _seconds(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        raise ValueError(f"{text!r} is not a number of seconds") from None
