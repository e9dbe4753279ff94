"""The command `reconciler status`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from reconciler.cli.options import Command, Run, output_option, with_run
from reconciler.model.command import add_shared_options
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@click.argument("name", required=False)
@output_option
@with_run
def status(run: Run, name: str | None, output: str | None) -> int:
    """Show the status and the workers of all endpoints or of one, and why an endpoint does not serve."""
    context = run.list_early(run.context) if name is None else run.context
    from reconciler.reports.terminal.values import plain
    from reconciler.reports.views.documents import status_document
    from reconciler.reports.views.endpoints import STATUS, WIDE_STATUS, endpoints_text, worst_first
    from reconciler.workflow.endpoints import get_endpoint, list_statuses

    result = list_statuses(context) if name is None else get_endpoint(context, name)
    if run.out.as_json:
        documents = [status_document(endpoint.app_status()) for endpoint in result.endpoints]
        run.out.document(documents if name is None else documents[0])
    elif output == "name":
        run.out.result("".join(f"{plain(endpoint.name)}\n" for endpoint in result.endpoints))
    elif result.endpoints:
        columns = WIDE_STATUS if output == "wide" else STATUS
        run.out.result(
            endpoints_text(worst_first(result.endpoints), columns, datetime.now(UTC), run.out.screen)
        )
    else:
        run.out.line(
            add_shared_options("The account has no endpoints; `reconciler apply` creates the declared ones.")
        )
    return ExitCode.OK
