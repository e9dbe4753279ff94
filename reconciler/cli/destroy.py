"""`reconciler destroy`"""

from __future__ import annotations

from dataclasses import replace

import click

from reconciler.cli.options import Run, seconds, shared
from reconciler.cli.reporting import reported
from reconciler.cli.streaming import streamed


@click.command()
@click.option("--auto-approve", "--yes", "approved", is_flag=True, help="Do not ask.")
@click.option(
    "--parallelism", type=click.IntRange(min=1), default=10, show_default=True, help="Changes at once."
)
@click.option(
    "--lock-timeout", type=seconds, default="0", metavar="SECONDS", help="Wait for the lock (60, 60s, 5m)."
)
@shared
@reported
@streamed
def destroy(run: Run, approved: bool, parallelism: int, lock_timeout: float) -> int:
    """Delete every endpoint that the inventory records.

    Endpoints made elsewhere are left alone, and preventDestroy holds here too.
    """
    from reconciler.cli.performing import perform
    from reconciler.workflow.planning import NOTHING

    context = replace(run.context, parallelism=parallelism, lock_timeout=lock_timeout)
    return perform(run.out, context, approved=approved, goal=NOTHING)
