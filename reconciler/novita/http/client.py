"""The HTTP client: it sends requests with the API key, and tells unsent requests from lost answers."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlencode

from reconciler import __version__
from reconciler.model import durations
from reconciler.model.encoding import json_line
from reconciler.model.hosts import is_loopback
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.request import API_ROOT, Request
from reconciler.model.secrets import Secret
from reconciler.model.values import Json
from reconciler.novita import errors
from reconciler.novita.errors import DEFAULT_POLICY, Failure, Retry
from reconciler.novita.http.auth import encode_path, header_value, host_header, parse_base_url
from reconciler.novita.http.body import ACCEPT_ENCODING
from reconciler.novita.http.connections import ConnectionPool
from reconciler.novita.http.limits import NotSendable, NotSent, UnusableResponse
from reconciler.novita.http.network import connections, load_httpx
from reconciler.novita.http.proxies import find_proxy
from reconciler.novita.http.retry import (
    ServerPause,
    Timing,
    parse_http_date,
    parse_retry_after,
    send_with_retries,
)
from reconciler.novita.http.throttle import Throttle
from reconciler.novita.http.transport import App, AppConnection, Connection, Message
from reconciler.novita.messages import Masker
from reconciler.novita.responses import Answer, Outcome, classify
from reconciler.novita.thread_pool import DaemonThreadPool

USER_AGENT: Final = (
    f"novita-reconciler/{__version__} (+https://github.com/novita-reconciler/novita-reconciler)"
)

TOO_MANY_REQUESTS: Final = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class CallInfo:
    """One attempt of one call, for -v, without body and key. `status` is None if there was no answer.

    `date` is the Date header of the answer, or "". `message` is the error message of a failed attempt, with
    secrets masked.
    """

    method: str
    path: str
    status: int | None
    seconds: float
    attempt: int
    date: str = ""
    message: str = ""


class Client:
    """A client of one Novita account. Thread-safe. Close it, or use it as a context manager.

    connect_timeout: seconds for a connection.
    read_timeout: seconds for a whole call, from the connection to the last byte of the answer.
    app: a server in this process, used in place of the network.
    on_call: gets every attempt, in the thread that made it.
    read_only: send only GET.
    """

    def __init__(
        self,
        base_url: str,
        api_key: Secret,
        *,
        parallelism: int = 10,
        connect_timeout: float = durations.CONNECT_TIMEOUT,
        read_timeout: float = durations.CALL_TIMEOUT,
        app: App | None = None,
        user_agent: str = USER_AGENT,
        on_call: Callable[[CallInfo], None] | None = None,
        timing: Timing | None = None,
        read_only: bool = False,
    ) -> None:
        timing = timing or Timing()
        address = parse_base_url(base_url, embedded=app is not None)
        key = header_value(api_key)
        self.base_url = base_url
        self.api_key = api_key
        self._host = address.netloc
        self._root = encode_path(address.path.rstrip("/").removesuffix(API_ROOT))
        self._loopback = is_loopback(address.hostname or "")
        self._masker = Masker(key)
        self._on_call = on_call
        self._read_timeout = read_timeout
        self._timing = timing
        self._read_only = read_only
        self._check_write: Callable[[], None] = lambda: None
        self._throttle = Throttle(parallelism)
        self._pause = ServerPause(timing)
        # A proxy would send loopback traffic, with the key, to another machine.
        proxy = None if app or self._loopback else find_proxy(address.hostname or "", address.port)
        if proxy is not None:
            self.add_secrets(lambda: (proxy.password,))
        self._headers = {
            "Host": host_header(address),
            "Accept": "application/json",
            "Accept-Encoding": ACCEPT_ENCODING,
            "Connection": "keep-alive",
            "User-Agent": user_agent,
            "Authorization": f"Bearer {key}",
        }
        self._parallelism = parallelism
        self._is_closed = False
        self._connections = ConnectionPool[Connection](
            (lambda: AppConnection(app))
            if app
            else connections(address, proxy, connect_timeout, is_own_process=timing.is_own_process)
        )

    def for_writes(self, check: Callable[[], None]) -> Self:
        """Return a client that may write, with the same connections, throttle, pause and secrets.

        `check` is called directly before each attempt of a write, which is not sent if it raises. Close the
        client as well; the connections are closed with the last of the clients.
        """
        writing = copy.copy(self)
        writing._read_only = writing._is_closed = False
        writing._check_write = check
        self._connections.share()
        return writing

    def warm(self, count: int) -> None:
        """Open connections in the background until there are `count`, or as many as calls may be active.

        Failures are not reported: the call that needs the connection fails in the same way.
        """
        self._connections.warm(min(count, self._parallelism))

    def prepare_writes(self) -> None:
        """Import in the background what the first write needs. A failure is that of the first write."""
        load = partial(load_httpx, is_own_process=self._timing.is_own_process)
        DaemonThreadPool(1).submit(load)

    def send(self, request: Request, *, retries: bool = True, within: float = math.inf) -> Json:
        """Send a request and return the parsed answer, {} for an empty one.

        Raise the errors of `model.errors`. Without `retries` the first failure is final. within: seconds for
        all attempts together, if that is less than usual.
        """
        end = self._timing.clock() + within
        assert request.method == "GET" or not self._read_only, "a read-only client was asked to write"
        if not retries:
            outcome = self._attempt(request, 1, end, retries=False)
            if isinstance(outcome, Failure):
                raise outcome.error()
            return outcome.json
        return send_with_retries(
            request, lambda number: self._attempt(request, number, end), self._timing, within
        )

    @property
    def concurrency_limit(self) -> int:
        """The number of calls that may be active now; lower than `parallelism` after a 429."""
        return self._throttle.limit

    def pause(self, seconds: float) -> None:
        """Wait between two calls, with the clock that the waits between attempts use."""
        self._timing.sleep(seconds)

    def add_secrets(self, values: Callable[[], Iterable[str]]) -> None:
        """Mask these values too in messages of the server. They are read when there is a message to mask."""
        self._masker.add(values)

    def quote(self, answer: Json, request: Request) -> str:
        """Return the start of an answer in one line, with secrets masked."""
        return self._masker.quote_answer(json_line(answer), request)

    def mask(self, text: str, request: Request) -> str:
        """Return the start of a text of an answer in one line, with secrets masked."""
        return self._masker.quote(text, request)

    def close(self) -> None:
        """Close all connections, unless another client shares them. This one sends no more requests."""
        if not self._is_closed:
            self._is_closed = True
            self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.base_url!r})"

    def _attempt(self, request: Request, number: int, end: float, *, retries: bool = True) -> Outcome:
        with self._throttle.slot() as slot:
            if (
                refused := self._pause.wait(request, min(DEFAULT_POLICY.budget, self._left(end)))
            ) is not None:
                return refused
            if request.method != "GET":
                self._check_write()
            started = time.perf_counter()
            answer = self._exchange(request, min(self._read_timeout, self._left(end)))
            if isinstance(answer, Answer):
                slot.rate_limited() if answer.status == TOO_MANY_REQUESTS else slot.answered()
        seconds = time.perf_counter() - started
        answered = answer if isinstance(answer, Answer) else None
        outcome = classify(request, answer, self._masker) if isinstance(answer, Answer) else answer
        if isinstance(outcome, Failure) and retries:
            self._pause.extend(outcome.retry_after)
        if self._on_call:
            self._on_call(
                CallInfo(
                    method=request.method,
                    path=request.path,
                    status=answered.status if answered else None,
                    seconds=seconds,
                    attempt=number,
                    date=answered.headers.get("date", "") if answered else "",
                    message=outcome.message if isinstance(outcome, Failure) else "",
                )
            )
        return outcome

    def _left(self, end: float) -> float:
        """Return the seconds until a time of the clock, but never 0: a call that is too late times out."""
        return max(end - self._timing.clock(), durations.MIN_TIMEOUT)

    def _exchange(self, request: Request, timeout: float) -> Answer | Failure:
        if self._is_closed:
            raise RuntimeError("the client is closed and sends no more requests")
        content, headers = request.body_bytes(), self._headers
        if content:
            headers = {**headers, "Content-Type": "application/json"}
        message = Message(method=request.method, target=self._target(request), headers=headers, body=content)
        try:
            with self._connections.acquire() as connection:
                response = connection.exchange(message, timeout)
        except NotSendable as error:
            return replace(self._unreachable(request, error), retry=Retry.NEVER)
        except NotSent as error:
            return self._unreachable(request, error)
        except UnusableResponse as error:
            return errors.answer_lost(request, why=self._masker.quote(str(error), request))
        retry_after = 0.0
        if header := response.headers.get("retry-after"):
            # A date is compared with the server's own clock; the clock of this machine may be wrong.
            sent = parse_http_date(response.headers.get("date", ""))
            retry_after = parse_retry_after(header, self._timing.now() if sent is None else sent)
        return Answer(
            status=response.status, headers=response.headers, body=response.body, retry_after=retry_after
        )

    def _target(self, request: Request) -> str:
        query = f"?{urlencode(request.query)}" if request.query else ""
        return self._root + encode_path(request.path) + query

    def _unreachable(self, request: Request, error: Exception) -> Failure:
        why = self._masker.quote(str(error), request)
        return errors.unreachable(request, host=self._host, why=why, loopback=self._loopback)
