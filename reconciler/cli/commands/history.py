"""The command `reconciler history`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.shell_completion import complete_endpoints
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@click.argument("name", required=False, shell_complete=complete_endpoints)
@with_run
def history(run: Run, name: str | None) -> int:
    """Show the last twenty versions of each endpoint that were applied with this inventory.

    Each version has its time, who applied it, the git commit of the files, and what it changed. --json lists
    the versions of all endpoints, the newest first.
    """
    from reconciler.reports.views.history import version_document, versions_text
    from reconciler.workflow.history.versions import damaged_history, list_versions, newest_first

    if problems := damaged_history(run.context, name):
        run.out.problems(problems)
    by_name = {
        key: versions
        for key, versions in list_versions(run.context, name).items()
        if run.context.selection.has(key)
    }
    if run.out.as_json:
        run.out.document([version_document(version) for version in newest_first(by_name)])
    elif by_name:
        run.out.result(versions_text(by_name, run.out.style))
    else:
        run.out.line("Nothing has been applied with this inventory yet.")
    return ExitCode.OK
