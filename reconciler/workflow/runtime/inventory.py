"""To whom the inventory of a run belongs, and to whom it will once the run has written it."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final

from reconciler.inventory.files import read_regular_file
from reconciler.inventory.paths import beside, resolve
from reconciler.inventory.session import Session, open_session
from reconciler.model.command import command_line
from reconciler.model.errors import InvalidConfig
from reconciler.model.owner import Owner
from reconciler.model.plan import Action
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Inventory, Live
from reconciler.model.settings import Settings
from reconciler.model.values import Keyring
from reconciler.planning.inventory_owner import Account, of_account, of_files, other_host
from reconciler.workflow.runtime.account import base_url
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.file_set import FileSet

_WITHOUT_OPERANDS: Final = frozenset(
    f"reconciler {command}" for command in ("plan", "apply", "preview", "destroy", "state rebuild")
)
"""Commands that can be printed without knowing what else was typed."""


def held(context: Context, base_url: str) -> AbstractContextManager[Session]:
    """A session of the run's inventory. Raises InventoryLocked while another run has it.

    `base_url` is the account that what is recorded belongs to.
    """
    return open_session(
        context.state_path,
        base_url=base_url,
        command=context.command,
        environ=context.environ,
        clock=time.time,
        lock_timeout=context.lock_timeout,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A run's claim to an inventory.

    `owner` is what the inventory says after a write, and `has_news` whether that is worth one by itself.
    """

    owner: Owner
    has_news: bool
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The guards that stand against it."""
        return tuple(problem for problem in self.problems if problem.is_error)


def claimed(
    context: Context,
    settings: Settings,
    inventory: Inventory,
    live: Iterable[Live],
    *,
    by_files: bool,
    is_whole: bool = True,
    forgets: bool = False,
    is_empty: bool = False,
    guarded: bool = True,
) -> Claim:
    """The claim of a run that sees these live endpoints.

    A run that does not go `by_files` says nothing about them; one that is not `is_whole`, but about some of
    the endpoints, leaves the inventory to the files that it has. One that is not `guarded` only looks, and
    what would be a guard is a remark. `forgets` says that it drops records of endpoints that are gone,
    `is_empty` that it looked at everything and has nothing to do: files that were only renamed or moved trip
    no guard.
    """
    known = inventory.owner
    account = Account(
        url=base_url(settings),
        key=fingerprint(settings),
        live_ids={one.id for one in live},
        is_shared=settings.state_key is not None,
    )
    owner = replace(known, account=account.key)
    files, before = FileSet.of(context), FileSet.recorded(context, known)
    is_same = before is None or files.takes_in(before)
    if by_files and (is_whole or is_same):
        owner = read_from(context, owner)
    problems = [
        *of_account(
            inventory,
            account,
            forgets=forgets,
            deleted=_being_deleted(context, inventory, account),
            again=again(context, "--allow-other-account") if guarded else "",
        )
    ]
    is_moved = before is not None and is_empty and before.is_gone
    if by_files and not is_same and before is not None and not is_moved and inventory.records:
        problems.append(
            of_files(
                recorded=before.shown(files),
                now=files.shown(before),
                again=again(context, "--allow-other-files") if guarded else "",
            )
        )
    has_news = bool(inventory.records) and (
        bool(other_host(inventory, account.url))
        or (account.is_other_key(inventory) and not account.is_shared)
        or not (inventory.base_url and known.account)
        or (by_files and is_whole and not is_same)
        or (by_files and before is None)
    )
    return Claim(
        owner=owner,
        has_news=has_news,
        problems=tuple(_judged(context, problems, guarded=guarded)),
    )


def checked(
    context: Context,
    settings: Settings,
    inventory: Inventory,
    live: Iterable[Live],
    *,
    by_files: bool = False,
    forgets: bool = False,
) -> Claim:
    """The claim of a run that makes no plan. Raises InvalidConfig where a guard stands against it."""
    claim = claimed(context, settings, inventory, live, by_files=by_files, forgets=forgets)
    if claim.errors:
        raise InvalidConfig(*claim.errors)
    return claim


def read_from(context: Context, owner: Owner) -> Owner:
    """The owner whose files are those of the run; as it is where they are the same."""
    files, before = FileSet.of(context), FileSet.recorded(context, owner)
    if before is not None and files.reads_as(before):
        return owner
    return replace(owner, root=files.way(context.state_path), files=files.relative)


def fingerprint(settings: Settings) -> str:
    """What an inventory says of the API key."""
    return Keyring.of(settings.api_key.value if settings.api_key else "").id


def _judged(context: Context, problems: Iterable[Problem], *, guarded: bool) -> Iterator[Problem]:
    agreed = {
        "other-account": context.allow.other_account,
        "other-files": context.allow.other_files,
    }
    for problem in problems:
        if not problem.is_error:
            if guarded:
                yield problem
        elif not guarded or agreed[problem.code]:
            severity = Severity.NOTE if problem.code == "other-files" else Severity.WARNING
            yield replace(problem, severity=severity, exit_code=1, hint="" if guarded else problem.hint)
        else:
            yield problem


def again(context: Context, flag: str) -> str:
    """How to do with one more flag what this run is doing."""
    if context.plan_words:
        return f"{command_line(*context.plan_words, flag)}, and apply that"
    if context.selection.names is None and context.command in _WITHOUT_OPERANDS:
        return command_line(*context.command.split(), flag)
    return f"the same command with {flag}"


def _being_deleted(context: Context, inventory: Inventory, account: Account) -> Collection[str]:
    """The IDs that an approved apply of the same key was deleting when it was cut off."""
    if other_host(inventory, account.url) or inventory.owner.account != account.key:
        return ()
    try:
        path = beside(resolve(context.state_path), ".approved.json")
        changes = json.loads(read_regular_file(path))["saved_plan"]["changes"].values()
        return {one["id"] for one in changes if one["action"] in (Action.DELETE, Action.REPLACE)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()
