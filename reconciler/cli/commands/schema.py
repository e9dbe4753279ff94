"""The command `reconciler schema`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@click.argument(
    "name", type=click.Choice(["config", "specs", "endpoints", "notification"]), default="endpoints"
)
@with_run
def schema(run: Run, name: str) -> int:
    """Print the JSON Schema (draft 2020-12) of a configuration file, for editors. (default: endpoints)

    That of endpoints offers the names of the specs in specs.yaml. `init` writes the schemas of files to
    .reconciler/. `notification` is what `run` posts to a webhook.
    """
    from reconciler.workflow.editor_schemas import editor_schema

    click.echo(editor_schema(run.context, name), nl=False)
    return ExitCode.OK
