"""The choice of connections for an address: direct ones, or through a proxy."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import SplitResult

from reconciler.novita.http.auth import DEFAULT_PORTS, host_header
from reconciler.novita.http.proxies import CERTIFICATE_VARIABLES, Proxy, tls_context
from reconciler.novita.http.sockets import Address, Socket
from reconciler.novita.http.transport import Connection, DirectConnection
from reconciler.novita.thread_pool import DaemonThreadPool

if TYPE_CHECKING:
    import ssl

    from reconciler.novita.http.httpx_transport import HttpxConnection


def connections(
    address: SplitResult, proxy: Proxy | None, connect_timeout: float, *, is_own_process: bool
) -> Callable[[], Connection]:
    """Return a factory of connections. Raise InvalidConfig for an unusable variable of the environment."""
    import socket  # noqa: F401 - here, because threads that import it compete with other imports

    origin = f"{address.scheme}://{host_header(address)}"
    context = _context(address.scheme)
    if proxy is not None:
        load_httpx(is_own_process=is_own_process)
        from reconciler.novita.http.httpx_transport import HttpxConnection, empty_trust_store

        httpx_proxy = proxy.to_httpx(context() or empty_trust_store())
        return lambda: HttpxConnection(
            origin, context=context(), connect_timeout=connect_timeout, proxy=httpx_proxy
        )
    target = Address(
        host=address.hostname or "",
        port=address.port or DEFAULT_PORTS[address.scheme],
        context=context,
        connect_timeout=connect_timeout,
    )

    def over(shared: Socket) -> HttpxConnection:
        load_httpx(is_own_process=is_own_process)
        from reconciler.novita.http.httpx_transport import HttpxConnection

        return HttpxConnection(origin, context=context(), connect_timeout=connect_timeout, socket=shared)

    return lambda: DirectConnection(Socket(target), over)


def load_httpx(*, is_own_process: bool) -> None:
    """Import httpx. It is without its own command line if no other code of this process could need that."""
    from reconciler.novita.http.httpx_transport import import_httpx

    import_httpx(with_cli=not is_own_process)


def _context(scheme: str) -> Callable[[], ssl.SSLContext | None]:
    """Return a function that returns the TLS context, which is made once.

    It is made in the background, as reading the root certificates takes 20 ms, most of it without the GIL.
    Only variables of the environment can make that fail; with those it is made at once.
    """
    if scheme == "http":
        return lambda: None
    if any(map(os.environ.get, CERTIFICATE_VARIABLES)):
        made = tls_context()
        return lambda: made
    return DaemonThreadPool(1).submit(tls_context).result
