"""`reconciler apply`"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from reconciler.cli import command_options
from reconciler.cli.event_options import streamed
from reconciler.cli.options import Run, shared
from reconciler.cli.report_options import reported
from reconciler.cli.shell_completion import a_file


@click.command()
@click.argument("plan_file", metavar="[PLAN]", required=False, shell_complete=a_file)
@command_options.auto_approve
@command_options.adopt
@command_options.allow_delete
@command_options.no_delete
@command_options.create_first
@command_options.agreements
@click.option("--resume", is_flag=True, help="Finish what was approved and cut off, if it is untouched.")
@command_options.wait
@command_options.parallelism
@command_options.lock_timeout
@shared
@reported
@streamed
def apply(
    run: Run,
    plan_file: str | None,
    approved: bool,
    adopt: bool,
    allow_delete: int | None,
    no_delete: bool,
    create_first: bool,
    resume: bool,
    wait: float | None,
    parallelism: int,
    lock_timeout: float,
    **agreed: bool,
) -> int:
    """Make the account match the files.

    Without PLAN it plans, shows the plan and asks. With a PLAN saved by `plan --out` it performs exactly
    that, or refuses when anything in it has moved.
    """
    from reconciler.cli.apply_flow import perform
    from reconciler.model.command import shared_options
    from reconciler.model.options import Allowances
    from reconciler.reports.terminal.escape import plain
    from reconciler.workflow.saved_plan.file import read_approved, read_saved

    allow = Allowances(
        adopt=adopt, deletes=allow_delete, no_delete=no_delete, create_first=create_first, **agreed
    )
    context = replace(run.context, allow=allow, parallelism=parallelism, lock_timeout=lock_timeout)
    if plan_file is None and not resume:
        return perform(run.out, context, approved=approved, wait=wait)
    if plan_file is not None and resume:
        raise click.UsageError("--resume finishes the last approved run; it takes no PLAN")
    if allow != Allowances() or not context.selection.is_everything:
        raise click.UsageError(
            "what was approved brings its own --target, --exclude, --adopt, --no-delete and --allow-..."
        )
    saved = read_approved(context) if plan_file is None else read_saved(context, Path(plan_file))
    made, now = plain(saved.origin.root), plain(str(saved.run.root.resolve()))
    if saved.is_moved:
        run.out.line(f"The plan was made in {made}, and is performed in {now}.\n")
    elif context.root.resolve() != saved.run.root.resolve():
        run.out.line(f"The plan is performed in {now}, where it was made.\n")
    with shared_options(saved.options):
        return perform(run.out, saved.context(), saved=saved, goal=saved.goal(), wait=wait)
