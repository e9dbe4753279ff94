"""The command `reconciler plan`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from reconciler.cli import options
from reconciler.cli.change_options import replacement_options
from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.report_options import with_reports
from reconciler.cli.shell_completion import complete_files
from reconciler.model.problem import ExitCode

_kept: Final[list[object]] = []
"""What the end of the process frees at once. One by one takes up to 6 % of a plan."""


@click.command(cls=Command)
@click.option(
    "--out",
    metavar="FILE",
    shell_complete=complete_files,
    help="Save the plan to this file, for `apply FILE`. The file contains no secrets.",
)
@click.option(
    "--bind-commit",
    is_flag=True,
    help="Make `apply FILE` refuse the saved plan if another git commit is checked out.",
)
@click.option(
    "--detailed-exitcode", is_flag=True, help="Return exit code 2 if there are changes, 0 if there are none."
)
@options.adopt
@options.allow_delete
@options.allow_storage_delete
@options.no_delete
@options.create_first
@replacement_options
@options.guard_options
@click.option(
    "--destroy",
    is_flag=True,
    help="Plan to delete all endpoints recorded in the inventory, as `destroy` does.",
)
@options.check_images
@options.parallelism
@with_run
@with_reports
def plan(
    run: Run,
    out: str | None,
    bind_commit: bool,
    detailed_exitcode: bool,
    adopt: bool,
    allow_delete: int | None,
    no_delete: bool,
    create_first: bool,
    destroy: bool,
    check_images: bool,
    parallelism: int,
    **agreed: Any,
) -> int:
    """Show the changes that apply would make.

    plan takes no lock and changes nothing, neither in the account nor in the inventory.
    """
    from reconciler.model.settings import Allowances

    if bind_commit and out is None:
        raise click.UsageError("--bind-commit requires --out FILE")
    commit = None
    if bind_commit:
        from reconciler.workflow.runtime.git import current_commit, uncommitted_changes

        commit = current_commit(run.context)
    context = replace(
        run.context,
        commit=commit,
        allow=Allowances(
            adopt=adopt, deletes=allow_delete, no_delete=no_delete, create_first=create_first, **agreed
        ),
        parallelism=parallelism,
    )
    context = run.list_early(context, needs_files=not destroy, with_other_kinds=True)
    from reconciler.cli.output import timestamp
    from reconciler.workflow.plan import APPLY, DESTROY
    from reconciler.workflow.plan import plan as make_plan
    from reconciler.workflow.runtime.unfinished import has_approved_plan, unfinished_apply

    goal, check = DESTROY if destroy else APPLY, None
    if check_images:
        from reconciler.workflow.images.check import ImageCheck

        check = ImageCheck()
    made = make_plan(context, check.of(goal) if check else goal)
    _kept.extend((context, made))
    if check is not None:
        made = check.checked(made)
    if bind_commit:
        made = made.with_problems(uncommitted_changes(context, made.files_read))
    code = made.blocked or (ExitCode.CHANGES if detailed_exitcode and made.plan.pending else ExitCode.OK)
    if out is not None:
        from reconciler.workflow.saved_plan.file import save_plan

        save_plan(context, Path(out), made, timestamp())
    run.out.plan(made.run_report("plan", timestamp(), exit_code=code))
    if not run.out.as_json and has_approved_plan(context):
        run.out.tell("\n")
        run.out.problems([unfinished_apply()])
    if out is not None:
        from reconciler.model.command import Operand, command_line
        from reconciler.reports.terminal.escape import plain

        run.out.line(f"\nSaved the plan to: {plain(out)}")
        if made.blocked is None:
            run.out.line(
                f"To perform exactly these actions:\n  {command_line('reconciler', 'apply', Operand(out))}"
            )
    return code
