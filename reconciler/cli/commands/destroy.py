"""The command `reconciler destroy`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from reconciler.cli import options
from reconciler.cli.change_options import message_option
from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.report_options import with_events, with_reports


@click.command(cls=Command)
@options.auto_approve
@message_option
@options.allow_storage_delete
@options.guard_options
@options.parallelism
@options.lock_timeout
@with_run
@with_reports
@with_events
def destroy(
    run: Run, approved: bool, message: str, parallelism: int, lock_timeout: float, **agreed: Any
) -> int:
    """Delete all endpoints recorded in the inventory.

    Endpoints that the inventory does not record are not deleted, and neither are those with preventDestroy.
    """
    from reconciler.model.settings import Allowances

    context = replace(
        run.context,
        allow=Allowances(**agreed),
        parallelism=parallelism,
        lock_timeout=lock_timeout,
        message=message,
    )
    context = run.list_early(context, with_other_kinds=True)
    from reconciler.cli.apply_flow import run_apply
    from reconciler.workflow.plan import DESTROY

    return run_apply(run.out, context, approved=approved, goal=DESTROY)
