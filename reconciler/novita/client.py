"""The only door to HTTP: sends requests, tells what was not sent from what was lost, and keeps the key."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeAlias

from reconciler import __version__
from reconciler.model.encoding import one_line
from reconciler.model.hosts import is_loopback
from reconciler.model.values import Json, Secret
from reconciler.model.wire import API_ROOT, Request
from reconciler.novita import trouble
from reconciler.novita.answers import Answer, Outcome, judge
from reconciler.novita.credentials import address_of, header_safe, invalid, not_an_address
from reconciler.novita.failure import Failure
from reconciler.novita.gate import Gate
from reconciler.novita.lanes import Lanes
from reconciler.novita.phrases import Masker
from reconciler.novita.retry import Timing, persist

if TYPE_CHECKING:
    import ssl

    import httpx

USER_AGENT: Final = (
    f"novita-reconciler/{__version__} (+https://github.com/novita-reconciler/novita-reconciler)"
)

TOO_MANY: Final = 429
LARGEST_ANSWER: Final = 64 << 20
"""Bytes; a hundred endpoints in full take a few hundred KB."""

App: TypeAlias = Callable[
    [str, str, Mapping[str, str], bytes], tuple[int, Mapping[str, str] | Iterable[tuple[str, str]], bytes]
]
"""A server in this process: (method, target, headers, body) -> (status, headers, body)."""


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

    connect_timeout, read_timeout: seconds. app: stands in for the network. on_call: told of every attempt,
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
        if timing.own_process:
            _spare_the_command_line_of_httpx()
        import httpx

        address = address_of(base_url, embedded=app is not None)
        key = header_safe(api_key)
        self.base_url = base_url
        self.api_key = api_key
        self._host = address.netloc
        self._root = f"{address.scheme}://{address.netloc}{address.path.rstrip('/').removesuffix(API_ROOT)}"
        self._loopback = is_loopback(address.hostname or "")
        self._masker = Masker(api_key)
        self._on_call = on_call
        self._read_timeout = read_timeout
        self._timing = timing
        self._read_only = read_only
        self._gate = Gate(parallelism)
        self._urls: dict[str, httpx.URL] = {}
        headers = {"Authorization": f"Bearer {key}", "User-Agent": user_agent, "Accept": "application/json"}
        try:
            httpx.URL(self._root)
            # A proxy from the environment would carry loopback traffic, key and all, off this machine.
            trust_env = not self._loopback
            is_plain = address.scheme == "http"
            trust = _trust_nobody() if is_plain else httpx.create_ssl_context(trust_env=trust_env)
            timeout = httpx.Timeout(read_timeout, connect=connect_timeout)
            self._lanes = Lanes(
                lambda: _cookieless()(
                    headers=headers,
                    timeout=timeout,
                    follow_redirects=False,
                    trust_env=trust_env,
                    verify=trust,
                    transport=httpx.MockTransport(_mounted(app)) if app else None,
                )
            )
        except httpx.InvalidURL as error:
            raise not_an_address() from error
        except (ValueError, OSError, ImportError) as error:
            # Its text may quote a proxy's password.
            raise invalid(
                "invalid-environment",
                f"a proxy or certificate variable of the environment cannot be used ({type(error).__name__})",
                "Correct HTTPS_PROXY, ALL_PROXY (socks needs the package socksio), SSL_CERT_FILE"
                " or SSL_CERT_DIR",
            ) from None

    def send(self, request: Request, *, patient: bool = True) -> Json:
        """The parsed answer, {} for an empty one. Raises the errors of `model.errors`.

        With `patient` False the first failure is final, for what a run can do without.
        """
        assert request.method == "GET" or not self._read_only, "a run that only reads asked for a write"
        if not patient:
            outcome = self._attempt(request, 1)
            if isinstance(outcome, Failure):
                raise outcome.error()
            return outcome.json
        return persist(request, lambda number: self._attempt(request, number), self._timing)

    @property
    def width(self) -> int:
        """How many calls may be under way now; fewer than `parallelism` after a 429."""
        return self._gate.width

    def pause(self, seconds: float) -> None:
        """Wait between two calls, with the same clock as between two attempts of one."""
        self._timing.sleep(seconds)

    def quote(self, answer: Json, request: Request) -> str:
        """Some of an answer to a request, in one line without secrets."""
        return self._masker.quote(one_line(answer), request)

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

    def _attempt(self, request: Request, number: int) -> Outcome:
        with self._gate.passing() as turn:
            started = time.perf_counter()
            answer = self._exchange(request)
            if isinstance(answer, Answer):
                turn.throttled() if answer.status == TOO_MANY else turn.calm()
        seconds = time.perf_counter() - started
        answered = answer if isinstance(answer, Answer) else None
        outcome = judge(request, answer, self._masker) if isinstance(answer, Answer) else answer
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

        content = request.content()
        try:
            with (
                self._lanes.one() as http,
                http.stream(
                    request.method,
                    self._url(request.path),
                    params=dict(request.query) or None,
                    content=content or None,
                    headers={"Content-Type": "application/json"} if content else None,
                ) as response,
            ):
                body = self._body(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            why = self._masker.quote(str(error), request) or type(error).__name__
            return trouble.unreachable(request, host=self._host, why=why, loopback=self._loopback)
        except httpx.ReadTimeout:
            return trouble.lost(request, why=f"no answer within {self._read_timeout:g} s")
        except _Unusable as error:
            return trouble.lost(request, why=str(error))
        except httpx.RequestError as error:
            why = self._masker.quote(str(error), request) or type(error).__name__
            return trouble.lost(request, why=why)
        # httpx gives header names in lower case.
        return Answer(status=response.status_code, headers=dict(response.headers), body=body)

    def _url(self, path: str) -> httpx.URL:
        """Parsed once: there are a dozen paths, and thousands of calls."""
        if path not in self._urls:
            import httpx

            self._urls[path] = httpx.URL(self._root + path)
        return self._urls[path]

    def _body(self, response: httpx.Response) -> bytes:
        """The whole body, if it is of a size and a speed that an API's answer can have."""
        began, body = time.monotonic(), bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise _Unusable(f"the answer is larger than {LARGEST_ANSWER >> 20} MiB")
            if time.monotonic() - began > self._read_timeout:
                raise _Unusable(f"the answer was not complete within {self._read_timeout:g} s")
        return bytes(body)


class _Unusable(Exception):
    """An answer that never ends."""


def _spare_the_command_line_of_httpx() -> None:
    """Import httpx without its own command line, which would load rich and click for nothing (45 ms)."""
    if "httpx" not in sys.modules:
        sys.modules["httpx._main"] = None  # type: ignore[assignment]  # reads as not installed, which is allowed
        import httpx

        del sys.modules["httpx._main"], httpx


@cache
def _cookieless() -> type[httpx.Client]:
    """httpx's client without a jar: Novita is told who calls by the key alone.

    Looking for cookies takes a third of what httpx adds to a call.
    """
    import httpx

    class Nothing(httpx.Cookies):
        def extract_cookies(self, response: httpx.Response) -> None: ...

        def set_cookie_header(self, request: httpx.Request) -> None: ...

    nothing = Nothing()

    class Client(httpx.Client):
        cookies = property(lambda _self: nothing)

    return Client


def _trust_nobody() -> ssl.SSLContext:
    """For plain HTTP: saves reading every root certificate, and fails closed if TLS is met after all."""
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _mounted(app: App) -> Callable[[httpx.Request], httpx.Response]:
    """The app as httpx calls it. What it raises reads as on a network: refused, timed out, or cut off."""
    import httpx

    def handle(request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode("ascii")
        try:
            status, headers, body = app(request.method, target, dict(request.headers), request.content)
        except ConnectionRefusedError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error), request=request) from error
        except ConnectionError as error:
            raise httpx.ReadError(str(error), request=request) from error
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        return httpx.Response(status, headers=list(pairs), content=body)

    return handle
