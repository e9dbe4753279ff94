"""The command `reconciler list`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from reconciler.cli.options import Command, Run, output_option, with_run
from reconciler.model.command import add_shared_options
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@output_option
@with_run
def list(run: Run, output: str | None) -> int:  # noqa: A001 - the name of the command
    """List all endpoints of the account.

    The column MANAGED shows how an endpoint is managed: declared (in the YAML files), recorded (in the
    inventory but no longer declared; the next apply deletes it), imperative (created by `deploy`) or
    unmanaged (never changed by apply).
    """
    context = run.list_early(run.context)
    from reconciler.reports.terminal.values import plain
    from reconciler.reports.views.documents import endpoint_document
    from reconciler.reports.views.endpoints import LIST, WIDE, endpoints_text
    from reconciler.workflow.endpoints import list_endpoints

    result = list_endpoints(context)
    if run.out.as_json:
        run.out.document([endpoint_document(endpoint) for endpoint in result.endpoints])
    elif output == "name":
        run.out.result("".join(f"{plain(endpoint.name)}\n" for endpoint in result.endpoints))
    elif result.endpoints:
        columns = WIDE if output == "wide" else LIST
        run.out.result(endpoints_text(result.endpoints, columns, datetime.now(UTC), run.out.screen))
    else:
        run.out.line(
            add_shared_options("The account has no endpoints; `reconciler apply` creates the declared ones.")
        )
    # on stderr with --json too, because the document is a list of endpoints
    run.out.problems(result.problems)
    return ExitCode.OK
