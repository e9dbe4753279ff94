"""The command `reconciler serve`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

import click

from reconciler.cli.options import Command, Run, with_run

PACKAGES: Final = ("jinja2", "prometheus_client", "starlette", "uvicorn")
"""Modules of the extra `server`."""


def _address(_ctx: click.Context, _parameter: click.Parameter, text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter(f"'{text}' is not HOST:PORT, such as 127.0.0.1:8090")
    return host.strip("[]"), int(port)


@click.command(cls=Command)
@click.option(
    "--listen",
    default="127.0.0.1:8090",
    callback=_address,
    metavar="HOST:PORT",
    help="Address to listen on; port 0 chooses a free one. (default: 127.0.0.1:8090)",
)
@with_run
def serve(run: Run, listen: tuple[str, int]) -> None:
    """Serve the HTTP API of the endpoints until Ctrl-C.

    The paths and shapes are those of the original service: GET /api/v1/endpoints lists the endpoints.
    """
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise click.ClickException(
            f"serve needs packages that are not installed ({', '.join(missing)}). Install them with:"
            " python -m pip install 'novita-reconciler[server]'   (in a checkout: '.[server]')"
        )
    from reconciler.server.app import create_app
    from reconciler.server.process import bind
    from reconciler.server.process import serve as run_server
    from reconciler.server.settings import ServerSettings

    settings = ServerSettings(host=listen[0], port=listen[1])
    if not settings.is_local:
        raise click.UsageError("--listen accepts only an address of this machine, such as 127.0.0.1:8090")
    app = create_app(run.context, settings)
    try:
        listening = bind(settings)
    except OSError as problem:
        raise click.ClickException(
            f"cannot listen on {settings.host}:{settings.port}: {problem.strerror or problem}."
            " Try another port: --listen 127.0.0.1:0 chooses a free one."
        ) from None
    host, port = listening.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    run_server(app, listening, lambda: click.echo(f"Serving the API on {url}, until Ctrl-C."))
