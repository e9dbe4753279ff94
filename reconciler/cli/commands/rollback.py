"""The command `reconciler rollback`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import options
from reconciler.cli.change_options import message_option
from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.report_options import with_events, with_reports
from reconciler.cli.shell_completion import complete_endpoints
from reconciler.model.problem import ExitCode

if TYPE_CHECKING:
    from reconciler.workflow.runtime.files.edits import EditedFile


@click.command(cls=Command)
@click.argument("name", shell_complete=complete_endpoints)
@click.argument("version", type=click.IntRange(min=1), required=False)
@click.option(
    "--write", is_flag=True, help="Also write the version into the YAML files, if the rollback succeeds."
)
@options.auto_approve
@message_option
@options.allow_delete
@options.guard_options
@options.lock_timeout
@with_run
@with_reports
@with_events
def rollback(
    run: Run,
    name: str,
    version: int | None,
    write: bool,
    approved: bool,
    message: str,
    allow_delete: int | None,
    lock_timeout: float,
    **agreed: Any,
) -> int:
    """Restore an applied version of one endpoint, by default the last one that differs from what is live.

    rollback shows a plan and asks for approval. Without --write the YAML files are not changed, and the next
    apply undoes the rollback. `reconciler history` lists the versions.
    """
    from reconciler.model.settings import Allowances

    if not run.context.selection.is_everything:
        raise click.UsageError("rollback takes the NAME of one endpoint, not --target and --exclude")
    allow = Allowances(deletes=allow_delete, **agreed)
    context = run.list_early(replace(run.context, allow=allow, lock_timeout=lock_timeout, message=message))
    from reconciler.cli.apply_flow import run_apply
    from reconciler.reports.terminal.escape import plain
    from reconciler.workflow.history.rollback import rollback_goal

    context, goal, target = rollback_goal(context, name, version, writes_yaml=write)
    from reconciler.workflow.history.yaml_edit import edit_to_version, write_edited

    edited = edit_to_version(run.context, target) if write else ()
    run.out.line(f"Rolling back {plain(name)} to version {target.number}, applied {plain(target.at)}.\n")
    code = run_apply(run.out, context, approved=approved, goal=goal)
    if code == ExitCode.OK and write:
        write_edited(edited)
        _show_edits(run, edited)
    return code


def _show_edits(run: Run, edited: Sequence[EditedFile]) -> None:
    """Show what was written into the YAML; on stderr with --json, because stdout has the document."""
    from reconciler.reports.views.file_diff import diff_text

    for file in edited:
        run.out.result("\n" + diff_text(file.shown, file.before, file.after, run.out.style))
        run.out.line(f"\nWrote {file.shown}.")
    if not edited:
        run.out.line("The YAML declares that version already.")
