"""The command `reconciler cost`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@with_run
def cost(run: Run) -> int:
    """Show what runs now and what it costs, by endpoint, per hour and per month.

    Counted are the workers that Novita bills at this moment, and the network storages. Endpoints with workers
    that nobody manages are orphans. The balance of the account tells how long it lasts at the floor.
    """
    context = run.list_early(run.context)
    from reconciler.workflow.cost import cost_now

    found = cost_now(context)
    if run.out.as_json:
        from reconciler.reports.views.cost import cost_now_document

        run.out.document(cost_now_document(found))
        return ExitCode.OK
    from reconciler.reports.views.cost import cost_text

    run.out.result(run.out.environment_line(context.environment_name) + cost_text(found, run.out.screen))
    run.out.problems(found.problems)
    return ExitCode.OK
