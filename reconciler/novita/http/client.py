"""The only door to HTTP: sends requests, tells what was not sent from what was lost, and keeps the key."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import SplitResult

from reconciler import __version__
from reconciler.model.encoding import json_line
from reconciler.model.hosts import is_loopback
from reconciler.model.request import API_ROOT, Request
from reconciler.model.secrets import Secret
from reconciler.model.values import Json
from reconciler.novita import errors
from reconciler.novita.errors import USUAL, Again, Failure
from reconciler.novita.http.auth import address_of, header_safe, not_an_address
from reconciler.novita.http.body import ACCEPTED, decoded
from reconciler.novita.http.connections import ConnectionPool
from reconciler.novita.http.proxies import Proxy, find_proxy, trust
from reconciler.novita.http.retry import (
    ServerPause,
    Timing,
    parse_http_date,
    parse_retry_after,
    send_with_retries,
)
from reconciler.novita.http.throttle import Throttle
from reconciler.novita.http.transport import (
    App,
    Connection,
    UnusableResponse,
    empty_trust_store,
    mounted,
    spare_the_command_line_of_httpx,
)
from reconciler.novita.messages import Masker
from reconciler.novita.responses import Answer, Outcome, classify

if TYPE_CHECKING:
    import httpx

USER_AGENT: Final = (
    f"novita-reconciler/{__version__} (+https://github.com/novita-reconciler/novita-reconciler)"
)

TOO_MANY: Final = 429
LARGEST_ANSWER: Final = 32 << 20
"""Bytes, once unpacked; a hundred endpoints in full take a few hundred KB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallInfo:
    """One attempt of one call, for -v: no body, no key. `status` is None when no answer came.

    `date` is when the server says that it answered, as an HTTP date, or "". `said` are the words of one that
    failed, without secrets.
    """

    method: str
    path: str
    status: int | None
    seconds: float
    attempt: int
    date: str = ""
    said: str = ""


class Client:
    """A pool of connections to one Novita account. Thread-safe; close it, or use it as a context manager.

    connect_timeout: seconds for a connection; read_timeout: for a whole call, from the connection to the last
    byte of the answer. app: stands in for the network. on_call: told of every attempt,
    from whichever thread made it. With `read_only` nothing but GET leaves it. `base_url` and `api_key` are
    what it was made with.
    """

    def __init__(
        self,
        base_url: str,
        api_key: Secret,
        *,
        parallelism: int = 10,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        app: App | None = None,
        user_agent: str = USER_AGENT,
        on_call: Callable[[CallInfo], None] | None = None,
        timing: Timing | None = None,
        read_only: bool = False,
    ) -> None:
        timing = timing or Timing()
        if timing.is_own_process:
            spare_the_command_line_of_httpx()
        import httpx

        address = address_of(base_url, embedded=app is not None)
        key = header_safe(api_key)
        self.base_url = base_url
        self.api_key = api_key
        self._host = address.netloc
        self._root = f"{address.scheme}://{address.netloc}{address.path.rstrip('/').removesuffix(API_ROOT)}"
        self._loopback = is_loopback(address.hostname or "")
        self._masker = Masker(key)
        self._on_call = on_call
        self._read_timeout = read_timeout
        self._timing = timing
        self._read_only = read_only
        self._gate = Throttle(parallelism)
        self._pause = ServerPause(timing)
        self._urls: dict[str, httpx.URL] = {}
        try:
            httpx.URL(self._root)
        except httpx.InvalidURL as error:
            raise not_an_address() from error
        # A proxy would carry loopback traffic, key and all, off this machine.
        way = None if app or self._loopback else find_proxy(address.hostname or "", address.port)
        if way is not None:
            self.hide(lambda: (way.password,))
        transport = partial(mounted, app) if app else _network(address, way)
        headers = {
            "Authorization": f"Bearer {key}",
            "User-Agent": user_agent,
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED,
        }
        timeout = httpx.Timeout(read_timeout, connect=connect_timeout)
        self._lanes = ConnectionPool(lambda: Connection(transport(), headers, timeout))

    def send(self, request: Request, *, patient: bool = True) -> Json:
        """The parsed answer, {} for an empty one. Raises the errors of `model.errors`.

        With `patient` False the first failure is final, for what a run can do without.
        """
        assert request.method == "GET" or not self._read_only, "a run that only reads asked for a write"
        if not patient:
            outcome = self._attempt(request, 1, patient=False)
            if isinstance(outcome, Failure):
                raise outcome.error()
            return outcome.json
        return send_with_retries(request, lambda number: self._attempt(request, number), self._timing)

    @property
    def width(self) -> int:
        """How many calls may be under way now; fewer than `parallelism` after a 429."""
        return self._gate.width

    def pause(self, seconds: float) -> None:
        """Wait between two calls, with the same clock as between two attempts of one."""
        self._timing.sleep(seconds)

    def hide(self, values: Callable[[], Iterable[str]]) -> None:
        """Mask what it returns as well in what a server says; it is asked when there is something to mask."""
        self._masker.add(values)

    def quote(self, answer: Json, request: Request) -> str:
        """Some of an answer to a request, in one line without secrets."""
        return self.mask(json_line(answer), request)

    def mask(self, text: str, request: Request) -> str:
        """Some of a text from an answer, in one line without secrets."""
        return self._masker.quote(text, request)

    def close(self) -> None:
        """Close all connections; the client cannot be used afterwards."""
        self._lanes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._root!r})"

    def _attempt(self, request: Request, number: int, *, patient: bool = True) -> Outcome:
        with self._gate.passing() as turn:
            if (held := self._pause.wait(request, USUAL.budget)) is not None:
                return held
            started = time.perf_counter()
            answer = self._exchange(request)
            if isinstance(answer, Answer):
                turn.throttled() if answer.status == TOO_MANY else turn.calm()
        seconds = time.perf_counter() - started
        answered = answer if isinstance(answer, Answer) else None
        outcome = classify(request, answer, self._masker) if isinstance(answer, Answer) else answer
        if isinstance(outcome, Failure) and patient:
            self._pause.ask(outcome.asked)
        if self._on_call:
            self._on_call(
                CallInfo(
                    method=request.method,
                    path=request.path,
                    status=answered.status if answered else None,
                    seconds=seconds,
                    attempt=number,
                    date=answered.headers.get("date", "") if answered else "",
                    said=outcome.said if isinstance(outcome, Failure) else "",
                )
            )
        return outcome

    def _exchange(self, request: Request) -> Answer | Failure:
        import httpx

        content = request.body_bytes()
        try:
            with self._lanes.one() as lane:
                lane.bounds.begin(self._read_timeout, LARGEST_ANSWER)
                with lane.http.stream(
                    request.method,
                    self._url(request.path),
                    params=dict(request.query) or None,
                    content=content or None,
                    headers={"Content-Type": "application/json"} if content else None,
                ) as response:
                    codings = response.headers.get_list("content-encoding", split_commas=True)
                    assert isinstance(response.stream, httpx.SyncByteStream)
                    # As it came: what httpx unpacks has no bound.
                    body = decoded(response.stream, codings, most=LARGEST_ANSWER)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            return self._unreachable(request, error)
        except httpx.ReadTimeout:
            return errors.lost(request, why=lane.bounds.overdue())
        except UnusableResponse as error:
            return errors.lost(request, why=str(error))
        except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeError) as error:
            return replace(self._unreachable(request, error), again=Again.NEVER)
        except (httpx.RequestError, ValueError) as error:
            why = self._masker.quote(str(error), request) or type(error).__name__
            return errors.lost(request, why=why)
        headers = dict(response.headers)  # httpx gives their names in lower case
        asked = 0.0
        if header := headers.get("retry-after"):
            # A moment is compared with the clock that it was made by; ours may be wrong.
            sent = parse_http_date(headers.get("date", ""))
            asked = parse_retry_after(header, self._timing.now() if sent is None else sent)
        return Answer(status=response.status_code, headers=headers, body=body, asked=asked)

    def _unreachable(self, request: Request, error: Exception) -> Failure:
        why = self._masker.quote(str(error), request) or type(error).__name__
        return errors.unreachable(request, host=self._host, why=why, loopback=self._loopback)

    def _url(self, path: str) -> httpx.URL:
        """Parsed once: there are a dozen paths, and thousands of calls."""
        if path not in self._urls:
            import httpx

            self._urls[path] = httpx.URL(self._root + path)
        return self._urls[path]


def _network(address: SplitResult, way: Proxy | None) -> Callable[[], httpx.HTTPTransport]:
    """What makes the connections to an address. Raises InvalidConfig for a variable that keeps it from it."""
    import httpx

    trusted = empty_trust_store() if address.scheme == "http" else trust()
    proxy = way.proxy(trusted) if way else None
    return lambda: httpx.HTTPTransport(verify=trusted, proxy=proxy, trust_env=False)
