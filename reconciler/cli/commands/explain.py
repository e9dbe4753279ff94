"""The command `reconciler explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.model.problem import ExitCode

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    from click.shell_completion import CompletionItem

    from reconciler.config.field_help import known_paths

    return [CompletionItem(path) for path in known_paths() if path.startswith(incomplete)]


@click.command(cls=Command)
@click.argument("field", default="endpoints", metavar="[FIELD]", shell_complete=_complete)
@with_run
def explain(run: Run, field: str) -> int:
    """Explain a field of the YAML files: its type, default, place in Novita's API, and an example.

    FIELD is a name or a dotted path: `env`, `policy.type`, `removed.destroy`, `specs.resources.gpu`,
    `config.novita.base_url`. Without FIELD, the fields of an endpoint are listed.
    """
    from reconciler.config.field_help import explain_field, known_paths
    from reconciler.reports.views.field_help import field_help_document, field_help_text

    found = explain_field(field)
    if found is None:
        from reconciler.model.command import command_line
        from reconciler.model.errors import InvalidConfig
        from reconciler.model.problem import Problem
        from reconciler.model.text import closest_match

        close = closest_match(field, known_paths())
        listed = f"{command_line('reconciler', 'explain')}   lists the fields of an endpoint"
        hint = f"did you mean `{close}`?" if close else listed
        raise InvalidConfig(Problem(code="unknown-field", summary=f"there is no field `{field}`", hint=hint))
    if run.out.as_json:
        run.out.document(field_help_document(found))
    else:
        run.out.result(field_help_text(found, run.out.style))
    return ExitCode.OK
