"""`reconciler pods`: a command that Novita's API does not support."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run


@click.command(cls=Command)
@click.argument("name", required=False)
@with_run
def pods(run: Run, name: str | None) -> int:
    """Show where to see the workers of an endpoint: Novita's API does not offer pods."""
    from reconciler.sdk.unsupported import pods_unsupported

    del run, name
    raise pods_unsupported()
