"""The command `reconciler serve`."""

from __future__ import annotations

import click

from reconciler.cli.extras import require_extra
from reconciler.cli.options import Command, Run, duration_seconds, with_run
from reconciler.cli.run.address import allowed_hosts_option, cannot_listen, listen_address, url_of


@click.command(cls=Command)
@click.option(
    "--listen",
    default="127.0.0.1:8090",
    callback=listen_address,
    metavar="HOST:PORT",
    help="Address to listen on; port 0 chooses a free one. (default: 127.0.0.1:8090)",
)
@click.option(
    "--allow-unauthenticated-writes",
    "unauthenticated_writes",
    is_flag=True,
    help="Let programs of this machine change endpoints without a token.",
)
@allowed_hosts_option
@click.option(
    "--cors-origin",
    "cors_origins",
    multiple=True,
    metavar="URL",
    help="Let pages of this origin call the API, such as https://console.example.com.",
)
@click.option(
    "--lock-timeout",
    type=duration_seconds,
    default="25s",
    metavar="DURATION",
    help="Let a change wait this long for the inventory lock. (default: 25s)",
)
@click.option("--quiet", is_flag=True, help="Do not log requests.")
@with_run
def serve(
    run: Run,
    listen: tuple[str, int],
    unauthenticated_writes: bool,
    allowed_hosts: tuple[str, ...],
    cors_origins: tuple[str, ...],
    lock_timeout: float,
    quiet: bool,
) -> None:
    """Serve the HTTP API and the web page until Ctrl-C.

    The paths and shapes of the API are those of Waverless; /docs lists them. On this machine reading is free.
    Writing needs a token: RECONCILER_API_TOKENS=NAME:TOKEN:read|write,... in the environment, and the header
    `Authorization: Bearer TOKEN`. Each request is logged to stderr as one line of JSON.
    """
    require_extra("server", "serve")
    from reconciler.server.app import create_app
    from reconciler.server.process import bind
    from reconciler.server.process import serve as run_server
    from reconciler.server.settings import ServerSettings
    from reconciler.server.tokens import read_tokens

    settings = ServerSettings(
        host=listen[0],
        port=listen[1],
        tokens=read_tokens(run.context.environ),
        unauthenticated_writes=unauthenticated_writes,
        allowed_hosts=allowed_hosts,
        cors_origins=tuple(origin.rstrip("/") for origin in cors_origins),
        lock_timeout=lock_timeout,
        access_log=not quiet,
    )
    app = create_app(run.context, settings)
    try:
        listening = bind(settings)
    except OSError as problem:
        raise click.ClickException(cannot_listen(settings.host, settings.port, problem)) from None
    url = url_of(listening)
    name = run.context.environment_name
    where = f"{url} for the environment {name}" if name else url
    run_server(app, listening, lambda: click.echo(f"Serving the API on {where}, until Ctrl-C."))
