"""`reconciler pods`"""

from __future__ import annotations

import click

from reconciler.cli.options import Run, shared


@click.command()
@click.argument("name", required=False)
@shared
def pods(run: Run, name: str | None) -> int:
    """The pods of an endpoint: not offered by Novita's API; says where to look instead."""
    from reconciler.sdk.unsupported import no_pods

    del run, name
    raise no_pods()
