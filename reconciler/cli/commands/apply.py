"""The command `reconciler apply`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from reconciler.cli import options
from reconciler.cli.change_options import message_option, replacement_options
from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.report_options import with_events, with_reports
from reconciler.cli.shell_completion import complete_files


@click.command(cls=Command)
@click.argument("plan_file", metavar="[PLAN]", required=False, shell_complete=complete_files)
@options.auto_approve
@message_option
@options.adopt
@options.allow_delete
@options.allow_storage_delete
@options.no_delete
@options.create_first
@replacement_options
@options.guard_options
@click.option(
    "--resume",
    is_flag=True,
    help="Finish the last approved run, if it was interrupted and nothing has changed since.",
)
@options.wait
@options.prewarm_timeout
@options.probe
@options.rollback_on_failure
@options.check_images
@options.parallelism
@options.lock_timeout
@with_run
@with_reports
@with_events
def apply(
    run: Run,
    plan_file: str | None,
    approved: bool,
    message: str,
    adopt: bool,
    allow_delete: int | None,
    no_delete: bool,
    create_first: bool,
    resume: bool,
    wait: float | None,
    prewarm_timeout: float | None,
    probe: bool,
    rollback: bool,
    check_images: bool,
    parallelism: int,
    lock_timeout: float,
    **agreed: Any,
) -> int:
    """Create, update or delete endpoints to match the configuration.

    Without PLAN, apply makes a new plan, shows it and asks for approval. With a PLAN saved by `plan --out`,
    apply performs exactly this plan, or refuses if the account, the inventory or the files have changed.
    """
    from reconciler.model.settings import Allowances

    if (probe or rollback) and wait is None:
        wait = options.DEFAULT_WAIT
    allow = Allowances(
        adopt=adopt, deletes=allow_delete, no_delete=no_delete, create_first=create_first, **agreed
    )
    context = replace(
        run.context,
        allow=allow,
        parallelism=parallelism,
        lock_timeout=lock_timeout,
        prewarm_timeout=prewarm_timeout,
        message=message,
    )
    images = None
    if check_images:
        from reconciler.workflow.images.check import ImageCheck

        images = ImageCheck()
    if plan_file is None and not resume:
        context = run.list_early(context, needs_files=True, with_limits=True, with_other_kinds=True)
        from reconciler.cli.apply_flow import run_apply

        return run_apply(
            run.out,
            context,
            approved=approved,
            wait=wait,
            probe=probe,
            rollback=rollback,
            images=images,
        )
    if plan_file is not None and resume:
        raise click.UsageError("--resume finishes the last approved run; it cannot be combined with PLAN")
    if allow != Allowances() or not context.selection.is_everything:
        raise click.UsageError(
            "a saved plan contains its own --target, --exclude, --adopt, --no-delete and --allow-... options"
        )
    from reconciler.cli.apply_flow import run_apply
    from reconciler.model.command import shared_options_in_hints
    from reconciler.reports.terminal.escape import plain
    from reconciler.workflow.saved_plan.file import read_approved_plan, read_saved_plan

    saved = read_approved_plan(context) if plan_file is None else read_saved_plan(context, Path(plan_file))
    origin, current = plain(saved.origin.root), plain(str(saved.run.root.resolve()))
    if saved.is_moved:
        run.out.line(f"The plan was made in {origin}; it is applied in {current}.\n")
    elif context.root.resolve() != saved.run.root.resolve():
        run.out.line(f"The plan is applied in {current}, where it was made.\n")
    with shared_options_in_hints(saved.options):
        context = replace(saved.context(), message=message, prewarm_timeout=prewarm_timeout)
        context = run.list_early(context, with_limits=True, with_other_kinds=True)
        return run_apply(
            run.out,
            context,
            approved=approved,
            saved=saved,
            goal=saved.goal(),
            wait=wait,
            probe=probe,
            rollback=rollback,
            images=images,
        )
