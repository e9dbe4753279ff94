"""The commands `reconciler state list`, `show`, `rm`, `fold` and `rebuild`."""

from __future__ import annotations

from dataclasses import replace

import click

from reconciler.cli import options
from reconciler.cli.options import Group, Run, with_run
from reconciler.cli.report_options import force_option
from reconciler.cli.shell_completion import complete_endpoints
from reconciler.model.problem import ExitCode, limit_problems
from reconciler.model.text import quantity
from reconciler.reports.terminal.escape import plain


@click.group(cls=Group)
@with_run
def state(run: Run) -> None:
    """Inspect or repair the inventory.

    If the inventory is lost, the next apply adopts the declared endpoints by name.
    """
    del run


@state.command("list")
@with_run
def list_(run: Run) -> int:
    """List the name and ID of every recorded endpoint."""
    from reconciler.reports.terminal.table import cell_width, pad
    from reconciler.workflow.state import read_inventory

    records = {record.key: record for record in read_inventory(run.context).every_record()}
    names = [name for name in sorted(records) if run.context.selection.has(name)]
    if run.out.as_json:
        run.out.document([{"name": name, "id": records[name].id} for name in names])
        return ExitCode.OK
    shown = {name: plain(name) for name in names}
    width = max(map(cell_width, shown.values()), default=0)
    for name in names:
        run.out.result(f"{pad(shown[name], width)}  {plain(records[name].id)}\n")
    if not records:
        run.out.line(f"The inventory {run.context.state} is empty.")
    return ExitCode.OK


@state.command()
@click.argument("name", shell_complete=complete_endpoints)
@with_run
def show(run: Run, name: str) -> int:
    """Show the record of one endpoint: what was last applied, without secrets."""
    from reconciler.reports.run.json_plan import record_document
    from reconciler.workflow.state import get_record

    run.out.document(record_document(get_record(run.context, name)))
    return ExitCode.OK


@state.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_endpoints)
@with_run
def rm(run: Run, names: tuple[str, ...]) -> int:
    """Remove endpoints from the inventory without deleting them."""
    from reconciler.workflow.state import forget

    forget(run.context, names)
    for name in names:
        run.out.line(f"Removed {plain(name)} from the inventory. The endpoint itself still exists.")
    if run.out.as_json:
        run.out.document({"forgotten": list(names), "exit_code": 0})
    return ExitCode.OK


@state.command()
@options.lock_timeout
@with_run
def fold(run: Run, lock_timeout: float) -> int:
    """Write the journal of an interrupted run into the inventory file. Works offline."""
    from reconciler.workflow.state import fold as fold_journal

    inventory = fold_journal(replace(run.context, lock_timeout=lock_timeout))
    recorded = sum(1 for _ in inventory.every_record())
    unresolved = sorted(intent.key for intent in inventory.every_intent())
    if run.out.as_json:
        run.out.document({"recorded": recorded, "open": unresolved, "exit_code": 0})
        return ExitCode.OK
    run.out.line(f"{quantity(recorded, 'endpoint')} recorded in {run.context.state}.")
    for name in unresolved:
        run.out.line(f"The create of {plain(name)} is unresolved and stays in the journal.")
    return ExitCode.OK


@state.command()
@options.other_files
@options.other_account
@force_option
@with_run
def rebuild(run: Run, other_files: bool, other_account: bool, force: bool) -> int:
    """Rebuild the inventory by matching declared and live endpoints by name."""
    from reconciler.model.settings import Allowances
    from reconciler.workflow.state import rebuild as rebuild_inventory

    allow = Allowances(other_files=other_files, other_account=other_account)
    result = rebuild_inventory(replace(run.context, allow=allow), force=force)
    if run.out.as_json:
        run.out.document(
            {
                "recorded": [{"name": record.name, "id": record.id} for record in result.recorded],
                "problems": [problem.to_dict() for problem in limit_problems(result.problems)],
                "exit_code": 0,
            }
        )
        return ExitCode.OK
    for record in result.recorded:
        run.out.result(f"{plain(record.name)}  {plain(record.id)}\n")
    if result.problems:
        run.out.problems(result.problems)
        run.out.tell("\n")
    run.out.line(f"{quantity(len(result.recorded), 'endpoint')} recorded in {run.context.state}.")
    return ExitCode.OK
