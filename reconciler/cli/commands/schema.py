"""The command `reconciler schema`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@click.argument("name", type=click.Choice(["config", "specs", "endpoints"]), default="endpoints")
@with_run
def schema(run: Run, name: str) -> int:
    """Print the JSON Schema (draft 2020-12) of a configuration file, for editors. (default: endpoints)"""
    from reconciler.config.schema import schema_text

    del run
    click.echo(schema_text(name), nl=False)
    return ExitCode.OK
