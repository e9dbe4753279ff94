"""`reconciler destroy`"""

from __future__ import annotations

from dataclasses import replace

import click

from reconciler.cli import command_options
from reconciler.cli.event_options import streamed
from reconciler.cli.options import Run, shared
from reconciler.cli.report_options import reported


@click.command()
@command_options.auto_approve
@command_options.agreements
@command_options.parallelism
@command_options.lock_timeout
@shared
@reported
@streamed
def destroy(run: Run, approved: bool, parallelism: int, lock_timeout: float, **agreed: bool) -> int:
    """Delete every endpoint that the inventory records.

    Endpoints made elsewhere are left alone, and preventDestroy holds here too.
    """
    from reconciler.cli.apply_flow import perform
    from reconciler.model.options import Allowances
    from reconciler.workflow.plan import NOTHING

    context = replace(
        run.context, allow=Allowances(**agreed), parallelism=parallelism, lock_timeout=lock_timeout
    )
    return perform(run.out, context, approved=approved, goal=NOTHING)
