"""The command `reconciler schema`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.model.problem import ExitCode

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def _names() -> list[str]:
    from reconciler.config.document_schemas import FOLDER, document_names
    from reconciler.config.schema import NAMES, NOTIFICATION

    return [*NAMES, NOTIFICATION, *(f"{FOLDER}/{name}" for name in document_names())]


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in _names() if name.startswith(incomplete)]


@click.command(cls=Command)
@click.argument("name", default="endpoints", metavar="[NAME]", shell_complete=_complete)
@with_run
def schema(run: Run, name: str) -> int:
    """Print a JSON Schema (draft 2020-12). (default: endpoints)

    NAME is a file: `endpoints`, `specs` or `config`, for editors. That of endpoints offers the names of the
    specs in specs.yaml. `init` writes these schemas to .reconciler/. `notification` is what `run` posts to a
    webhook, and `json/plan` the document of `plan --json`; each document has one.
    """
    if name not in (known := _names()):
        from reconciler.model.text import closest_match

        close = closest_match(name, known)
        hint = f"did you mean `{close}`?" if close else f"the names are {', '.join(known)}"
        raise click.BadParameter(f"there is no schema `{name}`; {hint}", param_hint="NAME")
    if name.startswith("json/"):
        from reconciler.config.document_schemas import document_schema_text

        click.echo(document_schema_text(name.removeprefix("json/")), nl=False)
        return ExitCode.OK
    from reconciler.workflow.editor_schemas import editor_schema

    click.echo(editor_schema(run.context, name), nl=False)
    return ExitCode.OK
