"""`reconciler logs`"""

from __future__ import annotations

import click

from reconciler.cli.options import Run, shared


@click.command()
@click.argument("name")
@shared
def logs(run: Run, name: str) -> int:
    """What an endpoint writes: not offered by Novita's API; says where to look instead."""
    from reconciler.sdk.unsupported import no_logs

    del run, name
    raise no_logs()
