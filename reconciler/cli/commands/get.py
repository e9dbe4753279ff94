"""The command `reconciler get`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@click.argument("name")
@with_run
def get(run: Run, name: str) -> int:
    """Show one endpoint by its name or ID: its state, URL, lease, configuration, workers and logs.

    Secrets are masked.
    """
    from reconciler.reports.views.endpoint import endpoint_details_document, endpoint_text
    from reconciler.workflow.endpoints import get_endpoint

    result = get_endpoint(run.context, name)
    (endpoint,) = result.endpoints
    if run.out.as_json:
        run.out.document(endpoint_details_document(endpoint, result.configuration, result.spec_name))
    else:
        run.out.result(
            endpoint_text(
                endpoint,
                result.configuration,
                datetime.now(UTC),
                run.out.style,
                run.out.screen,
                spec_name=result.spec_name,
            )
        )
    run.out.problems(result.problems)
    return ExitCode.OK
