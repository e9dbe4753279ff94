"""The command `reconciler restart`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from reconciler.cli import options
from reconciler.cli.change_options import message_option
from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.report_options import with_events, with_reports
from reconciler.cli.shell_completion import complete_endpoints


@click.command(cls=Command)
@click.argument("name", shell_complete=complete_endpoints)
@options.auto_approve
@message_option
@options.allow_delete
@options.guard_options
@options.lock_timeout
@options.wait
@with_run
@with_reports
@with_events
def restart(
    run: Run,
    name: str,
    approved: bool,
    message: str,
    allow_delete: int | None,
    lock_timeout: float,
    wait: float | None,
    **agreed: Any,
) -> int:
    """Replace a declared endpoint by an equal one, with new workers, a new ID and a new URL.

    Novita's API has no restart, and nothing says that an update without a change starts new workers. So the
    endpoint is deleted and created again, after you approve the plan. To keep the ID and the URL, change a
    value instead, such as a variable of `env`: an update starts new workers and then stops the old ones.
    """
    from reconciler.model.settings import Allowances
    from reconciler.planning.selection import Selection

    if not run.context.selection.is_everything:
        raise click.UsageError("restart takes the NAME of one endpoint, not --target and --exclude")
    context = replace(
        run.context,
        allow=Allowances(deletes=allow_delete, replaced=(name,), restarts=True, **agreed),
        selection=Selection(names=frozenset({name})),
        lock_timeout=lock_timeout,
        message=message,
    )
    context = run.list_early(context, needs_files=True, with_limits=True)
    from reconciler.cli.apply_flow import run_apply

    return run_apply(run.out, context, approved=approved, wait=wait)
