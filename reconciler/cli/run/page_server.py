"""The server of `reconciler run --listen`: the page, the API, health, metrics and calls of git servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from reconciler.cli.extras import require_extra
from reconciler.cli.run.address import cannot_listen, url_of
from reconciler.controller.clock import Clock
from reconciler.controller.hook import HookSecret
from reconciler.controller.loop import Loop
from reconciler.model.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import socket

    from reconciler.server.controller_metrics import ControllerMetrics
    from reconciler.server.settings import ServerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenOptions:
    """host, port: to listen on. hook: the variable with the secret of git servers, or "".

    allowed_hosts: further names in the Host header.
    """

    host: str
    port: int
    hook: str = ""
    allowed_hosts: tuple[str, ...] = ()


class PageServer:
    """A socket on which a server will answer, and what it serves. Made before anything else is begun.

    Raise ReconcilerError if the server would be open to others or the secret is none, and ClickException if
    the address cannot be used.
    """

    def __init__(self, options: ListenOptions, environ: Mapping[str, str], clock: Clock) -> None:
        require_extra("server", "run --listen")
        from reconciler.server.controller_metrics import ControllerMetrics
        from reconciler.server.process import bind
        from reconciler.server.settings import ServerSettings
        from reconciler.server.tokens import read_tokens

        self._settings: ServerSettings = ServerSettings(
            host=options.host,
            port=options.port,
            tokens=read_tokens(environ),
            allowed_hosts=options.allowed_hosts,
            access_log=False,
        )
        self._settings.check()
        hook = options.hook
        self._secret = HookSecret(environ.get(hook, ""), hook, clock) if hook else None
        self.metrics: ControllerMetrics = ControllerMetrics()
        try:
            self._socket: socket.socket = bind(self._settings)
        except OSError as error:
            raise click.ClickException(cannot_listen(options.host, options.port, error)) from None

    @contextmanager
    def serve(self, loops: Sequence[Loop]) -> Iterator[Callable[[], None]]:
        """Serve what these loops show until the end of the block, which waits for the requests in flight.

        The value is a function that ends the server earlier, also from a signal handler.
        """
        from reconciler.server.app import create_controller_app
        from reconciler.server.process import BackgroundServer
        from reconciler.server.sync.view import Controlled

        controlled = Controlled(
            boards=[loop.board for loop in loops],
            metrics=self.metrics,
            hook=self._secret,
            receivers=[loop.receive_call for loop in loops],
        )
        server = BackgroundServer(create_controller_app(controlled, self._settings), self._socket)
        server.start()
        try:
            yield server.stop
        finally:
            server.stop()
            server.join()

    @property
    def url(self) -> str:
        return url_of(self._socket)
