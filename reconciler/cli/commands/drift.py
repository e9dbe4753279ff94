"""The commands `reconciler drift`, `drift accept` and `drift revert`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from reconciler.cli import options
from reconciler.cli.change_options import message_option
from reconciler.cli.options import Group, Run, with_run
from reconciler.cli.report_options import with_events, with_reports
from reconciler.cli.shell_completion import complete_endpoints, complete_files
from reconciler.model.problem import ExitCode, limit_problems


@click.group(cls=Group, invoke_without_command=True)
@click.option(
    "--baseline",
    metavar="FILE",
    help="Earlier JSON document of `drift`; drift listed in it is not reported again.",
    shell_complete=complete_files,
)
@options.check_images
@options.parallelism
@with_run
@with_reports
def drift(run: Run, baseline: str | None, check_images: bool, parallelism: int) -> int:
    """Detect changes made outside of reconciler since the last apply.

    The exit code is 2 if there is drift, otherwise 0. A key with read access is enough, and ${env:...}
    references may be unset. Without an inventory, the account is compared with the configuration.
    """
    if click.get_current_context().invoked_subcommand is not None:
        if baseline is not None or check_images:
            option = "--baseline" if baseline is not None else "--check-images"
            raise click.UsageError(f"{option} cannot be combined with a subcommand of `drift`")
        return ExitCode.OK
    context = run.list_early(replace(run.context, parallelism=parallelism), with_other_kinds=True)
    from reconciler.cli.output import timestamp
    from reconciler.workflow.drift import drift as detect_drift

    images = None
    if check_images:
        from reconciler.workflow.images.check import ImageCheck

        images = ImageCheck()
    known = Path(baseline) if baseline else None
    result = detect_drift(context, now=datetime.now(UTC), baseline=known, images=images)
    run_report = result.planned.run_report(
        "drift", timestamp(), exit_code=result.exit_code, refusals=result.problems
    )
    run.out.plan(replace(run_report, drift_report=result.drift_report))
    return result.exit_code


@drift.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_endpoints)
@with_run
def accept(run: Run, names: tuple[str, ...]) -> int:
    """Write changes made outside of reconciler into the YAML files.

    Comments, order and references of the files are kept. The declaration of a deleted endpoint is removed.
    The account is not changed.
    """
    context = run.list_early(run.context, with_other_kinds=True)
    from reconciler.reports.views.file_diff import diff_text
    from reconciler.workflow.drift_accept import accept as accept_drift

    result = accept_drift(context, names, now=datetime.now(UTC))
    code = ExitCode.ERROR if any(problem.is_error for problem in result.problems) else ExitCode.OK
    if run.out.as_json:
        run.out.document(
            {
                "accepted": [
                    {"name": name, "fields": [list(path) for path in paths]}
                    for name, paths in result.fields.items()
                ],
                "files": [file.shown for file in result.files],
                "problems": [problem.to_dict() for problem in limit_problems(result.problems)],
                "exit_code": int(code),
            }
        )
        return code
    for file in result.files:
        run.out.result(diff_text(file.shown, file.before, file.after, run.out.style))
    if result.problems:
        run.out.tell("\n")
        run.out.problems(result.problems)
    return code


@drift.command()
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete_endpoints)
@options.auto_approve
@message_option
@options.allow_delete
@options.guard_options
@options.parallelism
@options.lock_timeout
@with_run
@with_reports
@with_events
def revert(
    run: Run,
    names: tuple[str, ...],
    approved: bool,
    message: str,
    allow_delete: int | None,
    parallelism: int,
    lock_timeout: float,
    **agreed: Any,
) -> int:
    """Undo changes made outside of reconciler.

    Without NAME, revert undoes all drift. It shows a plan and asks for approval. Changes of the YAML files
    that were not yet applied stay pending.
    """
    from reconciler.model.settings import Allowances

    if not run.context.selection.is_everything:
        raise click.UsageError("drift revert takes names of endpoints, not --target and --exclude")
    context = replace(
        run.context,
        allow=Allowances(deletes=allow_delete, **agreed),
        parallelism=parallelism,
        lock_timeout=lock_timeout,
        message=message,
    )
    context = run.list_early(context, with_other_kinds=True)
    from reconciler.cli.apply_flow import run_apply
    from reconciler.workflow.drift import revert_goal

    context, goal = revert_goal(context, names, now=datetime.now(UTC))
    return run_apply(run.out, context, approved=approved, goal=goal)
