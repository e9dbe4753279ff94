"""Sends requests to one endpoint, and waits until a worker has started that can answer.

A request goes through the proxy of the environment, like those to the API. It carries no key, no cookie and
no credential of a .netrc file, and no redirect is followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult

from reconciler.apply.clock import Clock, next_pause
from reconciler.model import durations
from reconciler.model.command import Operand, command_line
from reconciler.model.errors import NotCalled
from reconciler.model.hosts import is_loopback
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.resource import address
from reconciler.novita.http.auth import DEFAULT_PORTS, host_header
from reconciler.novita.http.client import USER_AGENT
from reconciler.novita.http.limits import NotSendable, NotSent, UnusableResponse
from reconciler.novita.http.network import load_httpx
from reconciler.novita.http.proxies import find_proxy, tls_context
from reconciler.novita.http.reasons import reason_of
from reconciler.novita.http.sockets import Address, Socket
from reconciler.novita.http.transport import Message
from reconciler.serving.address import Trust, target_of
from reconciler.serving.request import MAX_ANSWER, EndpointAnswer, EndpointRequest

if TYPE_CHECKING:
    from reconciler.novita.http.httpx_transport import OpenResponse

NOT_THERE_YET: Final = frozenset({502, 503, 504})
"""Statuses of a gateway without a worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """The workers of an endpoint at one time. `ready` is a count; `why` says what keeps the others.

    `failure` is why the endpoint or one of its workers failed, or "".
    `is_broken`: the endpoint itself failed or is gone, so that waiting is of no use.
    """

    ready: int
    why: str = ""
    failure: str = ""
    is_broken: bool = False


@contextmanager
def send_when_ready(
    connection: EndpointConnection,
    request: EndpointRequest,
    read_workers: Callable[[], Workers],
    clock: Clock,
    *,
    within: float,
    on_wait: Callable[[str], None] = lambda _why: None,
    max_size: int = MAX_ANSWER,
) -> Iterator[EndpointAnswer]:
    """Send a request and yield its answer, after a cold start if there must be one.

    The endpoint is not there yet if no worker was ready when the request was sent, and there was no
    connection, or the answer has one of the statuses of a gateway without a worker. No worker can have
    received that request, so it is sent again, until `within` seconds have passed. `on_wait` gets the reason
    of each wait. Raise NotCalled if there is no answer, also while its body is read.
    """
    start, told, has_begun = clock.now(), "", False
    while True:
        workers = read_workers()
        sent = clock.now()
        left = start + within - sent
        pause = next_pause(
            sent - start,
            first=durations.FIRST_COLD_START_POLL,
            longest=durations.MAX_COLD_START_POLL,
        )
        may_wait = left > pause and not workers.ready and not workers.is_broken
        try:
            with connection.open(request, round(max(left, pause), 1), max_size) as response:
                if not (may_wait and response.status in NOT_THERE_YET):
                    has_begun = True
                    yield EndpointAnswer(
                        status=response.status,
                        headers=response.headers,
                        pieces=response.pieces,
                        first_byte=clock.now() - sent,
                        waited=sent - start,
                    )
                    return
                reason = f"status {response.status}"
        except NotSent as error:
            reason = reason_of(error)
            if not may_wait or isinstance(error, NotSendable):
                raise _no_answer(connection.name, f"there is no connection: {reason}", workers) from error
        except UnusableResponse as error:
            failure = _broken_off if has_begun else _no_answer
            raise failure(connection.name, reason_of(error), workers) from error
        if (why := workers.why or reason) != told:
            on_wait(told := why)
        clock.wait(pause)


class EndpointConnection:
    """A connection to the URL of an endpoint. `name` is for messages. Close it."""

    def __init__(self, name: str, url: SplitResult, trust: Trust, *, is_own_process: bool = True) -> None:
        """Raise InvalidConfig for an unusable variable of the environment about proxies or certificates."""
        self.name = name
        self._url = url
        load_httpx(is_own_process=is_own_process)
        from reconciler.novita.http.httpx_transport import HttpxConnection, empty_trust_store

        host, is_secure = url.hostname or "", url.scheme == "https"
        proxy = find_proxy(host, url.port) if is_secure and not is_loopback(host) else None
        context = tls_context() if is_secure else None
        direct = Address(
            host=host,
            port=url.port or DEFAULT_PORTS[url.scheme],
            context=lambda: context,
            connect_timeout=durations.CONNECT_TIMEOUT,
            accepts=partial(trust.accepts, host),
        )
        self._connection = HttpxConnection(
            f"{url.scheme}://{host_header(url)}",
            context=context,
            connect_timeout=durations.CONNECT_TIMEOUT,
            socket=None if proxy else Socket(direct),
            proxy=proxy.to_httpx(context or empty_trust_store()) if proxy else None,
        )

    def open(
        self, request: EndpointRequest, seconds: float, max_size: int
    ) -> AbstractContextManager[OpenResponse]:
        """Send a request and return its response as `HttpxConnection.open` does."""
        headers = {
            "Host": host_header(self._url),
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "User-Agent": USER_AGENT,
            **request.headers,
        }
        message = Message(
            method=request.method,
            target=target_of(self._url, request.path),
            headers=headers,
            body=request.body,
        )
        return self._connection.open(message, seconds, max_size)

    def close(self) -> None:
        self._connection.close()


def _no_answer(name: str, why: str, workers: Workers) -> NotCalled:
    return _failure("no-answer", name, f"`{name}` did not answer: {why}", workers)


def _broken_off(name: str, why: str, workers: Workers) -> NotCalled:
    return _failure("answer-broken-off", name, f"the answer of `{name}` broke off: {why}", workers)


def _failure(code: str, name: str, summary: str, workers: Workers) -> NotCalled:
    return NotCalled(
        Problem(
            code=code,
            summary=summary,
            detail=workers.why,
            hint=f"`{command_line('reconciler', 'status', Operand(name))}` shows its workers",
            address=address(name),
        )
    )
