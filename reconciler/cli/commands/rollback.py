"""The command `reconciler rollback`."""

from __future__ import annotations

from dataclasses import replace

import click

from reconciler.cli import options
from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.report_options import with_events, with_reports
from reconciler.cli.shell_completion import complete_endpoints


@click.command(cls=Command)
@click.argument("name", shell_complete=complete_endpoints)
@click.argument("version", type=click.IntRange(min=1), required=False)
@options.auto_approve
@options.allow_delete
@options.guard_options
@options.lock_timeout
@with_run
@with_reports
@with_events
def rollback(
    run: Run,
    name: str,
    version: int | None,
    approved: bool,
    allow_delete: int | None,
    lock_timeout: float,
    **agreed: bool,
) -> int:
    """Restore an applied version of one endpoint, by default the version before the last.

    rollback shows a plan and asks for approval. The YAML files are not changed: change them as well, or the
    next apply undoes the rollback. `reconciler history` lists the versions.
    """
    from reconciler.model.settings import Allowances

    if not run.context.selection.is_everything:
        raise click.UsageError("rollback takes the NAME of one endpoint, not --target and --exclude")
    allow = Allowances(deletes=allow_delete, **agreed)
    context = run.list_early(replace(run.context, allow=allow, lock_timeout=lock_timeout))
    from reconciler.cli.apply_flow import run_apply
    from reconciler.reports.terminal.escape import plain
    from reconciler.workflow.rollback import rollback_goal

    context, goal, target = rollback_goal(context, name, version)
    run.out.line(
        f"Rolling back {plain(name)} to version {target.number}, applied {plain(target.at)}."
        " Change the YAML as well, or the next apply undoes the rollback.\n"
    )
    return run_apply(run.out, context, approved=approved, goal=goal)
