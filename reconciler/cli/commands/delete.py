"""The command `reconciler delete`."""

from __future__ import annotations

import click

from reconciler.cli.imperative_options import approval, context_of
from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.report_options import with_events, with_reports
from reconciler.cli.shell_completion import complete_endpoints


@click.command(cls=Command)
@click.argument("name", shell_complete=complete_endpoints)
@approval(waits=False)
@with_run
@with_reports
@with_events
def delete(
    run: Run, name: str, approved: bool, message: str, other_account: bool, lock_timeout: float
) -> int:
    """Delete one endpoint, even if it is not managed by reconciler.

    The name must be unique in the account. An endpoint with preventDestroy is not deleted.
    """
    context = run.list_early(context_of(run, lock_timeout, message, other_account=other_account))
    from reconciler.cli.apply_flow import run_apply
    from reconciler.workflow.imperative import delete_goal

    context, goal = delete_goal(context, name)
    return run_apply(run.out, context, approved=approved, goal=goal)
