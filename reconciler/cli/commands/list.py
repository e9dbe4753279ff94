"""`reconciler list`"""

from __future__ import annotations

from datetime import UTC, datetime

import click

from reconciler.cli.options import Run, output_option, with_run
from reconciler.model.command import add_shared_options
from reconciler.model.problem import ExitCode


@click.command()
@output_option
@with_run
def list(run: Run, output: str | None) -> int:  # noqa: A001 - the name of the command
    """Every endpoint of the account, by name, with whose it is.

    Declared ones stand in today's YAML; recorded ones no longer do, and the next apply deletes them;
    imperative ones were made by a command; unmanaged ones are never touched.
    """
    from reconciler.reports.terminal.values import plain
    from reconciler.reports.views.documents import app_document
    from reconciler.reports.views.endpoints import LIST, WIDE, apps_text
    from reconciler.workflow.endpoints import apps

    found = apps(run.context)
    if run.out.as_json:
        run.out.document([app_document(app) for app in found.apps])
    elif output == "name":
        run.out.result("".join(f"{plain(app.name)}\n" for app in found.apps))
    elif found.apps:
        columns = WIDE if output == "wide" else LIST
        run.out.result(apps_text(found.apps, columns, datetime.now(UTC), run.out.screen))
    else:
        run.out.line(
            add_shared_options(
                "The account has no endpoints; `reconciler apply` creates those that are declared."
            )
        )
    # also with --json: a list of endpoints has no place for them
    run.out.problems(found.problems)
    return ExitCode.OK
