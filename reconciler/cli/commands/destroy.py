"""`reconciler destroy`"""

from __future__ import annotations

from dataclasses import replace

import click

from reconciler.cli import options
from reconciler.cli.options import Run, with_run
from reconciler.cli.report_options import with_events, with_reports


@click.command()
@options.auto_approve
@options.guard_options
@options.parallelism
@options.lock_timeout
@with_run
@with_reports
@with_events
def destroy(run: Run, approved: bool, parallelism: int, lock_timeout: float, **agreed: bool) -> int:
    """Delete every endpoint that the inventory records.

    Endpoints made elsewhere are left alone, and preventDestroy holds here too.
    """
    from reconciler.cli.apply_flow import perform
    from reconciler.model.settings import Allowances
    from reconciler.workflow.plan import NOTHING

    context = replace(
        run.context, allow=Allowances(**agreed), parallelism=parallelism, lock_timeout=lock_timeout
    )
    return perform(run.out, context, approved=approved, goal=NOTHING)
