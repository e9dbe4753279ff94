"""The command `reconciler logs`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.shell_completion import complete_endpoints
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@click.argument("name", shell_complete=complete_endpoints)
@with_run
def logs(run: Run, name: str) -> int:
    """Print the addresses of the logs of one endpoint and of its workers, by its name or ID.

    Novita's API has no logs, only these addresses.
    """
    from reconciler.reports.views.endpoint import logs_of, logs_text
    from reconciler.sdk.unsupported import logs_unsupported
    from reconciler.workflow.endpoints import foreign_note, get_endpoint

    result = get_endpoint(run.context, name)
    (endpoint,) = result.endpoints
    found = tuple(logs_of(endpoint))
    if run.out.as_json:
        run.out.document([{"name": source, "log": log} for source, log in found])
    elif not found:
        raise logs_unsupported()
    else:
        run.out.result(logs_text(endpoint, run.out.style, run.out.screen))
    run.out.problems((*foreign_note(endpoint.name, endpoint.id, endpoint.environment), *result.problems))
    return ExitCode.OK
