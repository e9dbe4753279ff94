"""`reconciler history`"""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.shell_completion import complete_endpoints
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@click.argument("name", required=False, shell_complete=complete_endpoints)
@with_run
def history(run: Run, name: str | None) -> int:
    """Show the last twenty versions of each endpoint that were applied with this inventory."""
    from reconciler.reports.views.history import version_document, versions_text
    from reconciler.workflow.rollback import damaged_history, list_versions

    if lost := damaged_history(run.context):
        run.out.problems(lost)
    found = {
        one: all_ for one, all_ in list_versions(run.context, name).items() if run.context.selection.has(one)
    }
    if run.out.as_json:
        run.out.document([version_document(version) for all_ in found.values() for version in all_])
    elif found:
        run.out.result(versions_text(found, run.out.style))
    else:
        run.out.line("Nothing has been applied with this inventory yet.")
    return ExitCode.OK
