"""The calls to the server of a state, one at a time. A call that may be repeated is, for a limited time."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from reconciler.inventory.stores.terraform_http.address import StateAddress, Target, origin
from reconciler.inventory.stores.terraform_http.failures import status_problem, unreachable
from reconciler.model.durations import (
    CALL_BUDGET,
    CALL_TIMEOUT,
    CONNECT_TIMEOUT,
    MAX_RETRY_PAUSE,
    STATE_PAUSES,
)
from reconciler.model.errors import InvalidConfig, InventoryError
from reconciler.model.hosts import is_loopback
from reconciler.novita.http.auth import host_header
from reconciler.novita.http.limits import NotSendable, NotSent, UnusableResponse
from reconciler.novita.http.network import connections
from reconciler.novita.http.proxies import find_proxy
from reconciler.novita.http.transport import Connection, Message, Response

BUSY: Final = frozenset({429, 500, 502, 503, 504})
"""Answers after which a call may be repeated, if it is one that may be."""

FIRST_ATTEMPTS: Final = 2
"""Repeats of the first call to a server (count)."""

CONFLICTS: Final = frozenset({409, 423})
"""Answers of a server to a run that does not hold the lock."""


class StateServer:
    """The server of one state. Thread-safe. It never follows a redirect. `pauses`: seconds before repeats."""

    def __init__(
        self,
        address: StateAddress,
        *,
        pauses: tuple[float, ...] = STATE_PAUSES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = address
        self.pauses = pauses
        self.sleep = sleep
        self._lock = threading.Lock()
        self._connections: dict[tuple[str, str, int], Connection] = {}
        self._has_answered = False

    def call(self, target: Target, body: bytes = b"", *, lock_id: str = "") -> Response:
        """Send one request. Raise NotSent or UnusableResponse."""
        url = target.url
        headers = {
            "Host": host_header(url),
            "User-Agent": "novita-reconciler",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
        if self.address.authorization:
            headers["Authorization"] = self.address.authorization
        if body:
            headers["Content-Type"] = "application/json"
            headers["Content-MD5"] = _md5(body)
        path = quote(url.path or "/", safe="/%:@!$&'()*+,;=~")
        query = f"?ID={quote(lock_id, safe='')}" if lock_id else ""
        message = Message(method=target.method, target=path + query, headers=headers, body=body)
        with self._lock:
            response = self._connection(target).exchange(message, CALL_TIMEOUT)
            self._has_answered = True
            return response

    def call_repeatedly(self, target: Target, body: bytes = b"", *, lock_id: str = "") -> Response:
        """Send a request that may be sent twice, again while there is no answer or the server is busy.

        Raise InventoryError if the last attempt fails as well.
        """
        started = time.monotonic()
        # A server that has never answered is rather at another address than busy.
        pauses = self.pauses if self._has_answered else self.pauses[:FIRST_ATTEMPTS]
        for pause in (*pauses, None):
            error: Exception | None = None
            try:
                response = self.call(target, body, lock_id=lock_id)
                if response.status not in BUSY:
                    return response
            except (NotSent, UnusableResponse) as failure:
                error = failure
            if pause is None or isinstance(error, NotSendable) or time.monotonic() - started > CALL_BUDGET:
                break
            self.sleep(pause if error else max(pause, retry_after(response)))
        raise unreachable(target, error) if error else status_problem(self.address, target, response.status)

    def read(self) -> Response:
        """Return the answer with the state; its body is empty if there is none. Raise InventoryError."""
        target = self.address.read
        response = self.call_repeatedly(target)
        if response.status == 204 or (response.status == 404 and not _is_no_project(response.body)):
            return Response(status=response.status, headers=response.headers, body=b"")
        if response.status != 200:
            raise status_problem(self.address, target, response.status)
        digest = response.headers.get("content-md5", "")
        if digest and digest != _md5(response.body):
            raise unreachable(target, UnusableResponse("its Content-MD5 does not match its body"))
        return response

    def close(self) -> None:
        """Close the connections. The next call opens new ones."""
        with self._lock:
            while self._connections:
                self._connections.popitem()[1].close()

    def __del__(self) -> None:
        self.close()  # a store has no end of its own

    def _connection(self, target: Target) -> Connection:
        key = origin(target.url)
        if key not in self._connections:
            url = target.url
            host = url.hostname or ""
            try:
                proxy = None if is_loopback(host) else find_proxy(host, url.port)
                self._connections[key] = connections(url, proxy, CONNECT_TIMEOUT, is_own_process=True)()
            except InvalidConfig as error:
                raise InventoryError(*error.problems) from error
        return self._connections[key]


def retry_after(response: Response) -> float:
    """Return the seconds that the server asks to wait, at most `MAX_RETRY_PAUSE`."""
    text = response.headers.get("retry-after", "")
    return min(float(text), MAX_RETRY_PAUSE) if text.isascii() and text.isdecimal() else 0.0


def _is_no_project(body: bytes) -> bool:
    """Return whether GitLab says that there is no such project, or none that the credential may see."""
    return b"Project" in body[:200]


def _md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
