"""The process of a server: it listens on a socket, and finishes the requests in flight when it is stopped."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import h11
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.model.durations import HEADER_TIMEOUT, KEEP_ALIVE, SWITCH_INTERVAL
from reconciler.server.settings import MAX_CONNECTIONS, MAX_HEADER_SIZE, ServerSettings
from reconciler.workflow.runtime.stop_signals import on_stop_signal


def bind(settings: ServerSettings) -> socket.socket:
    """Return a listening socket. Raise OSError if the address cannot be used."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((settings.host, settings.port))
        listening.listen(512)
    except OSError:
        listening.close()
        raise
    return listening


def serve(app: Starlette, listening: socket.socket, on_started: Callable[[], None]) -> None:
    """Serve requests until a stop signal, then finish those in flight."""
    asyncio.run(_server(app, on_started).serve([listening]))


class BackgroundServer:
    """A server in a thread, beside the other work of a process, whose signals it does not handle."""

    def __init__(self, app: Starlette, listening: socket.socket) -> None:
        self._server = _server(app, lambda: None)
        self._listening = listening
        self._thread = threading.Thread(target=self._run, name="server")

    def start(self) -> None:
        """Begin to answer requests; those that come before it has begun wait."""
        self._thread.start()

    def stop(self) -> None:
        """Let the server finish the requests in flight. It may be called in a signal handler."""
        self._server.should_exit = True

    def join(self) -> None:
        """Wait for the end, after `stop`."""
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._server.serve([self._listening]))


def _server(app: Starlette, on_started: Callable[[], None]) -> _Server:
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS + 1,  # uvicorn refuses the connection that reaches it
        timeout_keep_alive=int(KEEP_ALIVE),
        h11_max_incomplete_event_size=MAX_HEADER_SIZE,
    )
    sys.setswitchinterval(SWITCH_INTERVAL)
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # its lines quote requests
    return _Server(config, on_started, app.state.service.stopping)


class _Protocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose request head does not arrive in time."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._expect_head()
        elif self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_TIMEOUT, self._close_late)

    def _close_late(self) -> None:
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()


class _Server(uvicorn.Server):
    """A server that tells when it accepts connections, and sets `stopping` before it waits for requests."""

    def __init__(
        self, config: uvicorn.Config, on_started: Callable[[], None], stopping: asyncio.Event
    ) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        await super().shutdown(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_started()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the stop signals. Unlike uvicorn, do not raise them again: a stop is no failure."""
        with on_stop_signal(self.handle_exit):
            yield
