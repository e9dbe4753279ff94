"""`reconciler schema`"""

from __future__ import annotations

import click

from reconciler.cli.options import Run, with_run
from reconciler.model.problem import ExitCode


@click.command()
@click.argument("name", type=click.Choice(["config", "specs", "endpoints"]), default="endpoints")
@with_run
def schema(run: Run, name: str) -> int:
    """Print a JSON Schema (draft 2020-12), for editors: config, specs or endpoints."""
    from reconciler.config.schema import text_of

    del run
    click.echo(text_of(name), nl=False)
    return ExitCode.OK
