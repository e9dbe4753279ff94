"""The command `reconciler probe`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.shell_completion import complete_endpoints
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@click.argument("name", required=False, shell_complete=complete_endpoints)
@with_run
def probe(run: Run, name: str | None) -> int:
    """Send the declared probes of all endpoints or of one, and report whether they serve.

    A cold start is waited out. The exit code is 0 if all answers are as expected, and 1 otherwise.
    """
    from reconciler.cli.wait_line import WaitingLine
    from reconciler.reports.views.probes import probes_document, probes_text
    from reconciler.workflow.probe import probe_declared

    if name is not None and not run.context.selection.is_everything:
        raise click.UsageError("probe takes either NAME, or --target and --exclude")
    with WaitingLine(name or "probes", is_terminal=run.out.shows_progress) as waiting:
        results = probe_declared(run.context, name, waiting.say)
    if run.out.as_json:
        run.out.document(probes_document(results))
    else:
        run.out.result(probes_text(results, run.out.style))
    return ExitCode.OK if all(result.probe.passed for result in results) else ExitCode.ERROR
