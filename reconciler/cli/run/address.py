"""The options and messages about the address of commands that serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    import socket


allowed_hosts_option: Final = click.option(
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Also answer requests whose Host header has this name, such as that of a proxy in front.",
)
"""The option `--allowed-host`."""


def listen_address(
    _ctx: click.Context, _parameter: click.Parameter, text: str | None
) -> tuple[str, int] | None:
    """Return the host and the port of `HOST:PORT`. Raise BadParameter."""
    if text is None:
        return None
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter(f"'{text}' is not HOST:PORT, such as 127.0.0.1:8090")
    return host.strip("[]"), int(port)


def cannot_listen(host: str, port: int, error: OSError) -> str:
    """Return the message for an address that cannot be used."""
    return (
        f"cannot listen on {host}:{port}: {error.strerror or error}."
        " Try another port: --listen 127.0.0.1:0 chooses a free one."
    )


def url_of(listening: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
