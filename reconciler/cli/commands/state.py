"""The commands below `reconciler state`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.options import Group, Run, with_run
from reconciler.cli.report_options import force_option
from reconciler.cli.shell_completion import complete_endpoints, complete_files
from reconciler.model.command import command_line, shell_quote
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import ExitCode, limit_problems
from reconciler.model.text import quantity
from reconciler.model.values import Json
from reconciler.reports.terminal.escape import plain

if TYPE_CHECKING:
    from reconciler.workflow.stores.transfer import TransferResult


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
    """Remove resources from the inventory without deleting them."""
    from reconciler.kinds.registry import KINDS, split_address
    from reconciler.workflow.state import forget

    forget(run.context, names)
    for name in names:
        noun = KINDS[split_address(name)[0]].noun
        run.out.line(f"Removed {plain(name)} from the inventory. The {noun} itself still exists.")
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


@state.command()
@click.option("-o", "file", metavar="FILE", help="Write it to this file instead of stdout.")
@click.option("--previous", is_flag=True, help="Return what the last push or forced copy has replaced.")
@force_option
@with_run
def pull(run: Run, file: str | None, previous: bool, force: bool) -> int:
    """Write the inventory to stdout or to a file, with the journal folded into it.

    Open creates are no part of it; `state copy` copies them as well.
    """
    from reconciler.workflow.stores.transfer import pull as pull_inventory
    from reconciler.workflow.stores.transfer import write_pulled

    pulled = pull_inventory(run.context, previous=previous)
    if file is None:
        run.out.json_text(pulled.data)
    else:
        write_pulled(run.context, pulled, file, force=force)
    for name in pulled.open:
        run.out.line(f"The create of {plain(name)} is unresolved and stays in the journal.")
    if file is not None:
        if run.out.as_json:
            run.out.document(
                {"written": file, "recorded": pulled.recorded, "open": list(pulled.open), "exit_code": 0}
            )
        else:
            run.out.line(f"{quantity(pulled.recorded, 'resource')} written to {file}.")
    return ExitCode.OK


@state.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path), shell_complete=complete_files)
@options.other_account
@click.option("--force", is_flag=True, help="Replace the inventory even if records are lost or changed.")
@options.lock_timeout
@with_run
def push(run: Run, file: Path, other_account: bool, force: bool, lock_timeout: float) -> int:
    """Replace the inventory by a file that `state pull` wrote. Open creates stay open.

    Refuses a file of another account, and one that lacks or changes records. What is replaced is kept:
    `state pull --previous` returns it.
    """
    from reconciler.model.settings import Allowances
    from reconciler.workflow.stores.transfer import push as push_inventory

    allow = Allowances(other_account=other_account)
    context = replace(run.context, allow=allow, lock_timeout=lock_timeout)
    result = push_inventory(context, file, force=force)
    if run.out.as_json:
        run.out.document({**_transferred(result), "inventory": context.store.label, "exit_code": 0})
        return ExitCode.OK
    run.out.line(f"{quantity(result.recorded, 'resource')} recorded in {context.store.label}.")
    _tell_way_back(run, result)
    return ExitCode.OK


@state.command("copy")
@click.argument("source", metavar="FROM", shell_complete=complete_files)
@click.argument("target", metavar="TO", shell_complete=complete_files)
@click.option("--force", is_flag=True, help="Replace the inventory that is in TO.")
@options.lock_timeout
@with_run
def copy_(run: Run, source: str, target: str, force: bool, lock_timeout: float) -> int:
    """Copy an inventory to another store: records, open creates, history and an approved plan.

    FROM and TO are paths or addresses, as of --state. The copy is read back, and FROM is not changed.
    """
    from reconciler.workflow.stores.transfer import copy as copy_inventory

    context = replace(run.context, lock_timeout=lock_timeout)
    result = copy_inventory(context, source, target, force=force)
    if run.out.as_json:
        run.out.document({**_transferred(result), "from": source, "to": target, "exit_code": 0})
        return ExitCode.OK
    for name in result.open:
        run.out.line(f"The create of {plain(name)} is unresolved, and was copied as such.")
    if result.has_approved_plan:
        run.out.line("An approved plan that has not finished was copied; apply --resume finishes it.")
    run.out.line(
        f"{quantity(result.recorded, 'resource')} and {quantity(result.versions, 'version')} copied to"
        f" {plain(target)}, and read back. {plain(source)} was not changed."
    )
    _tell_way_back(run, result, target)
    if (leader := result.source_leader) is not None:
        who = f"{leader.who} on {leader.host} (pid {leader.pid})"
        run.out.line(
            f"The controller of {plain(who)} leads {plain(source)}, and goes on there. Start it again"
        )
        run.out.line(f"with --state {shell_quote(target)}.")
    doctor = command_line("reconciler", "--state", target, "doctor")
    run.out.line(f"\nLet every run use --state {shell_quote(target)} from now on. To check it: {doctor}")
    return ExitCode.OK


def _transferred(result: TransferResult) -> dict[str, Json]:
    return {
        "recorded": result.recorded,
        "open": list(result.open),
        "versions": result.versions,
        "approved_plan": result.has_approved_plan,
        "previous_kept": result.has_previous,
    }


def _tell_way_back(run: Run, result: TransferResult, state: str = "") -> None:
    if result.has_previous:
        where = ("--state", state) if state else ()
        back = command_line("reconciler", *where, "state", "pull", "--previous", "-o", "previous.json")
        run.out.line(f"What it replaced is kept: {back}")


@state.command("lock-info")
@with_run
def lock_info(run: Run) -> int:
    """Show who holds the lock of the inventory, and which process leads it."""
    from reconciler.reports.views.lock import lock_document, lock_text
    from reconciler.workflow.stores.lock import leader_of, lock_holder

    holder, leads = lock_holder(run.context), leader_of(run.context.store)
    label = run.context.store.label
    if run.out.as_json:
        run.out.document(lock_document(label, holder, leads))
        return ExitCode.OK
    if holder is None:
        run.out.line(f"No run holds the lock of {label}.")
    else:
        run.out.result(lock_text(holder))
    if leads is not None:
        run.out.line(f"This process leads {label}, and takes the lock whenever it applies:")
        run.out.result(lock_text(leads))
    return ExitCode.OK


@state.command()
@click.argument("lock_id", metavar="ID")
@click.option("--auto-approve", "--yes", "approved", is_flag=True, help="Skip the confirmation.")
@with_run
def unlock(run: Run, lock_id: str, approved: bool) -> int:
    """Free a lock that outlived its run, as GitLab and Terraform's HTTP servers keep it.

    Shows who holds it, and asks for its ID. A lock that its store frees by itself is refused.
    """
    from reconciler.cli.approval import ask_for_word
    from reconciler.reports.views.lock import lock_text
    from reconciler.workflow.stores.lock import require_unlockable
    from reconciler.workflow.stores.lock import unlock as free_lock

    label = run.context.store.label
    run.out.tell(lock_text(require_unlockable(run.context, lock_id)))
    if not approved:
        problem = ask_for_word(
            run.out,
            lock_id,
            question="Do you really want to free this lock?",
            effect="If that run is still alive, two runs can create the same endpoints.",
            meaning="the ID of the lock",
            subject="the unlock",
            again="to unlock without interactive approval, pass --auto-approve",
        )
        if problem is not None:
            raise InvalidConfig(problem)
    free_lock(run.context, lock_id)
    if run.out.as_json:
        run.out.document({"unlocked": lock_id, "inventory": label, "exit_code": 0})
    else:
        run.out.line(f"The lock of {label} is free.")
    return ExitCode.OK
