"""`reconciler destroy`"""

from __future__ import annotations

from dataclasses import replace

import click

from reconciler.cli import choices
from reconciler.cli.options import Run, shared
from reconciler.cli.reporting import reported
from reconciler.cli.streaming import streamed


@click.command()
@choices.auto_approve
@choices.agreements
@choices.parallelism
@choices.lock_timeout
@shared
@reported
@streamed
def destroy(run: Run, approved: bool, parallelism: int, lock_timeout: float, **agreed: bool) -> int:
    """Delete every endpoint that the inventory records.

    Endpoints made elsewhere are left alone, and preventDestroy holds here too.
    """
    from reconciler.cli.performing import perform
    from reconciler.model.allowances import Allowances
    from reconciler.workflow.planning import NOTHING

    context = replace(
        run.context, allow=Allowances(**agreed), parallelism=parallelism, lock_timeout=lock_timeout
    )
    return perform(run.out, context, approved=approved, goal=NOTHING)
