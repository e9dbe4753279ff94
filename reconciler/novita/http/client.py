"""The HTTP client: it sends requests with the API key, and tells unsent requests from lost answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import SplitResult

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
from reconciler.novita.http.auth import header_value, invalid_base_url, parse_base_url
from reconciler.novita.http.body import ACCEPT_ENCODING, decode_body
from reconciler.novita.http.connections import ConnectionPool
from reconciler.novita.http.proxies import Proxy, find_proxy, tls_context
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
    app_transport,
    empty_trust_store,
    import_httpx_without_cli,
)
from reconciler.novita.messages import Masker
from reconciler.novita.responses import Answer, Outcome, classify

if TYPE_CHECKING:
    import httpx

USER_AGENT: Final = (
    f"novita-reconciler/{__version__} (+https://github.com/novita-reconciler/novita-reconciler)"
)

TOO_MANY_REQUESTS: Final = 429
MAX_BODY_SIZE: Final = 32 << 20
"""Bytes, once unpacked. A hundred endpoints take a few hundred KB."""


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
        if timing.is_own_process:
            import_httpx_without_cli()
        import httpx

        address = parse_base_url(base_url, embedded=app is not None)
        key = header_value(api_key)
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
        self._throttle = Throttle(parallelism)
        self._pause = ServerPause(timing)
        self._urls: dict[str, httpx.URL] = {}
        try:
            httpx.URL(self._root)
        except httpx.InvalidURL as error:
            raise invalid_base_url() from error
        # A proxy would send loopback traffic, with the key, to another machine.
        proxy = None if app or self._loopback else find_proxy(address.hostname or "", address.port)
        if proxy is not None:
            self.add_secrets(lambda: (proxy.password,))
        transport = partial(app_transport, app) if app else _network(address, proxy)
        headers = {
            "Authorization": f"Bearer {key}",
            "User-Agent": user_agent,
            "Accept": "application/json",
            "Accept-Encoding": ACCEPT_ENCODING,
        }
        timeout = httpx.Timeout(read_timeout, connect=connect_timeout)
        self._connections = ConnectionPool(lambda: Connection(transport(), headers, timeout))

    def send(self, request: Request, *, retries: bool = True) -> Json:
        """Send a request and return the parsed answer, {} for an empty one.

        Raise the errors of `model.errors`. Without `retries` the first failure is final.
        """
        assert request.method == "GET" or not self._read_only, "a read-only client was asked to write"
        if not retries:
            outcome = self._attempt(request, 1, retries=False)
            if isinstance(outcome, Failure):
                raise outcome.error()
            return outcome.json
        return send_with_retries(request, lambda number: self._attempt(request, number), self._timing)

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
        return self.mask(json_line(answer), request)

    def mask(self, text: str, request: Request) -> str:
        """Return the start of a text of an answer in one line, with secrets masked."""
        return self._masker.quote(text, request)

    def close(self) -> None:
        """Close all connections. The client cannot be used afterwards."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._root!r})"

    def _attempt(self, request: Request, number: int, *, retries: bool = True) -> Outcome:
        with self._throttle.slot() as slot:
            if (refused := self._pause.wait(request, DEFAULT_POLICY.budget)) is not None:
                return refused
            started = time.perf_counter()
            answer = self._exchange(request)
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

    def _exchange(self, request: Request) -> Answer | Failure:
        import httpx

        content = request.body_bytes()
        try:
            with self._connections.acquire() as connection:
                connection.limits.start(self._read_timeout, MAX_BODY_SIZE)
                with connection.http.stream(
                    request.method,
                    self._url(request.path),
                    params=dict(request.query) or None,
                    content=content or None,
                    headers={"Content-Type": "application/json"} if content else None,
                ) as response:
                    codings = response.headers.get_list("content-encoding", split_commas=True)
                    assert isinstance(response.stream, httpx.SyncByteStream)
                    # The raw bytes, because httpx unpacks without a size limit.
                    body = decode_body(response.stream, codings, max_size=MAX_BODY_SIZE)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            return self._unreachable(request, error)
        except httpx.ReadTimeout:
            return errors.answer_lost(request, why=connection.limits.timeout_message())
        except UnusableResponse as error:
            return errors.answer_lost(request, why=str(error))
        except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeError) as error:
            return replace(self._unreachable(request, error), retry=Retry.NEVER)
        except (httpx.RequestError, ValueError) as error:
            why = self._masker.quote(str(error), request) or type(error).__name__
            return errors.answer_lost(request, why=why)
        headers = dict(response.headers)  # httpx gives their names in lower case
        retry_after = 0.0
        if header := headers.get("retry-after"):
            # A date is compared with the server's own clock; the clock of this machine may be wrong.
            sent = parse_http_date(headers.get("date", ""))
            retry_after = parse_retry_after(header, self._timing.now() if sent is None else sent)
        return Answer(status=response.status_code, headers=headers, body=body, retry_after=retry_after)

    def _unreachable(self, request: Request, error: Exception) -> Failure:
        why = self._masker.quote(str(error), request) or type(error).__name__
        return errors.unreachable(request, host=self._host, why=why, loopback=self._loopback)

    def _url(self, path: str) -> httpx.URL:
        """Return the parsed URL of a path. Each of the few paths is parsed only once."""
        if path not in self._urls:
            import httpx

            self._urls[path] = httpx.URL(self._root + path)
        return self._urls[path]


def _network(address: SplitResult, proxy: Proxy | None) -> Callable[[], httpx.HTTPTransport]:
    """Return a factory of connections to an address. Raise InvalidConfig for an unusable variable."""
    import httpx

    context = empty_trust_store() if address.scheme == "http" else tls_context()
    httpx_proxy = proxy.to_httpx(context) if proxy else None
    return lambda: httpx.HTTPTransport(verify=context, proxy=httpx_proxy, trust_env=False)
