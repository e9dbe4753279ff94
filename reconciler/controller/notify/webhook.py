"""One notification over HTTP. It goes through the proxy of the environment; no redirect is followed."""

from __future__ import annotations

import time
from base64 import b64encode
from typing import Final
from urllib.parse import quote

from reconciler.controller.notify.targets import Target
from reconciler.model.durations import CONNECT_TIMEOUT
from reconciler.model.errors import ReconcilerError
from reconciler.model.sync.durations import DELIVERY_TIMEOUT
from reconciler.novita.http.auth import host_header
from reconciler.novita.http.client import USER_AGENT
from reconciler.novita.http.limits import NotSendable, NotSent, TimedOut, UnusableResponse
from reconciler.novita.http.network import connections
from reconciler.novita.http.proxies import find_proxy
from reconciler.novita.http.retry import parse_retry_after
from reconciler.novita.http.transport import Message
from reconciler.novita.messages import status_line

_WORTH_A_RETRY: Final = frozenset({408, 425, 429})
"""Statuses below 500 that another attempt may not get."""

MAX_WHY: Final = 200
"""Characters of a reason of the system."""


class Undelivered(Exception):
    """A notification was not delivered. The text says why, without the URL and without text of the server.

    is_final: another attempt is of no use. retry_after: seconds that the server asks for, or 0.
    """

    def __init__(self, why: str, *, is_final: bool = False, retry_after: float = 0.0) -> None:
        super().__init__(why)
        self.is_final = is_final
        self.retry_after = retry_after


def post(target: Target, body: bytes) -> None:
    """Send a body of JSON to a target. Raise Undelivered."""
    url = target.parts
    headers = {
        "Host": host_header(url),
        "User-Agent": USER_AGENT,
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    if target.login:
        headers["Authorization"] = f"Basic {b64encode(target.login.encode()).decode()}"
    path = quote(url.path or "/", safe="/%:@!$&'()*+,;=~")
    message = Message(
        method="POST",
        target=f"{path}?{quote(url.query, safe='/%:@!$&()*+,;=~?')}" if url.query else path,
        headers=headers,
        body=body,
    )
    try:
        proxy = find_proxy(url.hostname or "", url.port) if url.scheme == "https" else None
        connection = connections(url, proxy, CONNECT_TIMEOUT, is_own_process=True)()
        try:
            response = connection.exchange(message, DELIVERY_TIMEOUT)
        finally:
            connection.close()
    except NotSendable:
        raise Undelivered("the URL cannot be sent", is_final=True) from None
    except NotSent as error:  # a text of the system, which may have the host
        why = str(error).replace(url.hostname or " ", "the host")
        raise Undelivered(f"the server cannot be reached ({why[:MAX_WHY]})") from None
    except ReconcilerError as error:  # a variable of the environment, which it names
        raise Undelivered(error.problems[0].summary) from None
    except TimedOut as error:
        raise Undelivered(f"the server gave {error}") from None
    except (UnusableResponse, OSError):
        raise Undelivered("the server gave no usable answer") from None
    if not 200 <= response.status < 300:
        asked = parse_retry_after(response.headers.get("retry-after", ""), time.time())
        is_final = response.status < 500 and response.status not in _WORTH_A_RETRY
        raise Undelivered(
            f"the server answered {status_line(response.status)}", is_final=is_final, retry_after=asked
        )
