"""The checks of the inventory: readability, account, lock, unfinished runs and git."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from reconciler.inventory.files import companion
from reconciler.inventory.lock_holder import LockHolder
from reconciler.inventory.snapshot import Snapshot
from reconciler.inventory.stores.file.store import file_of
from reconciler.model.command import command_line
from reconciler.model.errors import InventoryError
from reconciler.model.run_report import Check, CheckStatus
from reconciler.model.text import quantity
from reconciler.planning.inventory_owner import host_mismatch, server_of
from reconciler.workflow.doctor.store import store_checks
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.git import GitStatus, git_refusal, git_status, git_statuses, refusal_hint
from reconciler.workflow.runtime.unfinished import has_approved_plan
from reconciler.workflow.stores.lock import leader_of

COMPANIONS: Final = (
    *(".journal", ".lock", ".lock.json", ".backup"),
    *(".history.jsonl", ".approved.json", ".approval.json", ".previous.json"),
    *(".run.lock", ".run.lock.json", ".run.sync.json"),
)
"""Suffixes of the files beside an inventory, which belong to one machine."""


def inventory_checks(context: Context, snapshot: Snapshot | InventoryError, url: str) -> Iterator[Check]:
    """Yield the checks of the inventory, or of the error of reading it; `url` is the address of this run."""
    yield from store_checks(context)
    yield _readable(context, snapshot, url)
    yield _lock(context)
    yield from _leader(context)
    if isinstance(snapshot, Snapshot):
        unfinished = _unfinished(context, snapshot)
        yield from unfinished or (Check(name="unfinished", status=CheckStatus.OK, detail="nothing"),)
    else:
        yield Check(name="unfinished", status=CheckStatus.SKIP, detail="the inventory cannot be read")
    if (path := file_of(context.store)) is not None:
        yield _git(context, path)
        yield from _companions_in_git(path)


def _readable(context: Context, snapshot: Snapshot | InventoryError, url: str) -> Check:
    if isinstance(snapshot, InventoryError):
        problem = snapshot.problem
        return Check(name="inventory", status=CheckStatus.FAIL, detail=problem.summary, hint=problem.hint)
    inventory = snapshot.inventory()
    is_same_host = server_of(inventory.base_url)[0] == server_of(url)[0]  # a simulator changes its port
    if inventory.records and not is_same_host and (detail := host_mismatch(inventory, url)):
        hint = "use a separate inventory for each account: --state PATH"
        return Check(name="inventory", status=CheckStatus.WARN, detail=detail, hint=hint)
    count = len(inventory.records)
    detail = f"{quantity(count, 'record')} in {context.state}"
    return Check(
        name="inventory",
        status=CheckStatus.OK,
        detail=detail if snapshot.content.exists else "there is none yet",
    )


def _lock(context: Context) -> Check:
    try:
        owner = context.store.holder()
    except InventoryError:
        return Check(name="lock", status=CheckStatus.SKIP, detail="the store does not tell")
    if owner is None:
        return Check(name="lock", status=CheckStatus.OK, detail="free")
    return Check(
        name="lock",
        status=CheckStatus.WARN,
        detail=f"held by {_holder_text(owner)}",
        hint="wait for that run, or let yours wait with --lock-timeout 60s",
    )


def _leader(context: Context) -> Iterator[Check]:
    """Yield the check that names the process that leads the inventory, if there is one."""
    if (owner := leader_of(context.store)) is not None:
        yield Check(name="leader", status=CheckStatus.OK, detail=_holder_text(owner))


def _holder_text(owner: LockHolder) -> str:
    return f"{owner.who} on {owner.host} (pid {owner.pid}) since {owner.since}: {owner.command}"


def _unfinished(context: Context, snapshot: Snapshot) -> Sequence[Check]:
    findings = []
    if names := ", ".join(sorted(intent.key for intent in snapshot.inventory().every_intent())):
        findings.append((f"creates whose outcome is unknown: {names}", "reconciler recover   settles them"))
    if has_approved_plan(context):
        findings.append(("an approved apply has not finished", "reconciler apply --resume   finishes it"))
    if snapshot.needs_checkpoint:
        findings.append(
            (
                "a run was interrupted; its changes are in the journal, and not in the inventory file yet",
                "reconciler state fold   writes them into the file; so does the next apply",
            )
        )
    return [
        Check(name="unfinished", status=CheckStatus.WARN, detail=detail, hint=hint)
        for detail, hint in findings
    ]


def _git(context: Context, path: Path) -> Check:
    """Return whether the inventory file is in git. Only a refusal of git is a warning."""
    if not path.exists():
        return Check(name="git", status=CheckStatus.SKIP, detail="there is no inventory file yet")
    hint = "it contains no secrets; commit it if more than one machine applies"
    match git_status(path):
        case None if refusal := git_refusal(path.parent, context.environ):
            detail = f"git refuses: {refusal}"
            return Check(name="git", status=CheckStatus.WARN, detail=detail, hint=refusal_hint(refusal))
        case None:
            return Check(name="git", status=CheckStatus.SKIP, detail="there is no git repository here")
        case GitStatus.TRACKED:
            return Check(name="git", status=CheckStatus.OK, detail=f"{context.state} is in git")
        case GitStatus.IGNORED:
            return Check(name="git", status=CheckStatus.OK, detail=f"{context.state} is ignored", hint=hint)
        case GitStatus.UNTRACKED:
            return Check(
                name="git", status=CheckStatus.OK, detail=f"{context.state} is not in git", hint=hint
            )


def _companions_in_git(path: Path) -> Iterator[Check]:
    """Yield a warning if files beside the inventory are in git, or would be added by `git add`."""
    names = [companion(path, suffix).name for suffix in COMPANIONS if companion(path, suffix).exists()]
    statuses = git_statuses(path.parent, names) if names else {}
    ignore = command_line("reconciler", "init") + "   writes the .gitignore files that prevent it"
    if tracked := [name for name in names if statuses.get(name) is GitStatus.TRACKED]:
        remove = command_line("git", "-C", str(path.parent), "rm", "--cached", "--", *tracked)
        yield Check(
            name="git companions",
            status=CheckStatus.WARN,
            detail=f"in git, and only for this machine: {', '.join(tracked)}",
            hint=f"{remove}\n{ignore}",
        )
    elif loose := [name for name in names if statuses.get(name) is GitStatus.UNTRACKED]:
        yield Check(
            name="git companions",
            status=CheckStatus.WARN,
            detail=f"not ignored by git, and only for this machine: {', '.join(loose)}",
            hint=ignore,
        )
