"""The inventory of a run: its lock, and the check that it belongs to the run's account and files."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.inventory.session import Session, open_session
from reconciler.inventory.stores.base import APPROVED_PLAN
from reconciler.model import durations
from reconciler.model.command import command_line
from reconciler.model.errors import InvalidConfig, InventoryError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Action
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Inventory, Live, Owner
from reconciler.model.secrets import Keyring
from reconciler.model.settings import Settings
from reconciler.planning.inventory_owner import (
    Account,
    account_guards,
    environment_guard,
    files_guard,
    has_nothing,
    host_mismatch,
)
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.files.set import FileSet
from reconciler.workflow.runtime.settings import base_url

if TYPE_CHECKING:
    from reconciler.inventory.lock_holder import LockHolder
    from reconciler.inventory.stores.base import Hold, Store

_REPEATABLE_COMMANDS: Final = frozenset(
    f"reconciler {command}" for command in ("plan", "apply", "preview", "destroy", "state rebuild")
)
"""Commands that a hint can repeat in full, as they have no operands."""


@contextmanager
def locked_inventory(context: Context, base_url: str) -> Iterator[Session]:
    """Open a session of the run's inventory under its lock. Raise InventoryLocked if another run has it.

    `base_url` is the account that new records belong to.
    """
    with ExitStack() as stack:
        store, holder = context.store, run_holder(context)
        with _notice(context, store, context.lock_timeout):
            session = stack.enter_context(
                open_session(store, holder, base_url=base_url, lock_timeout=context.lock_timeout)
            )
        yield session


@contextmanager
def lock(context: Context, store: Store, *, timeout: float | None = None) -> Iterator[Hold]:
    """Hold the lock of a store. Raise InventoryLocked if another run has it.

    timeout: seconds to wait for it, None for those of `--lock-timeout`.
    """
    timeout = context.lock_timeout if timeout is None else timeout
    with ExitStack() as stack:
        with _notice(context, store, timeout):
            hold = stack.enter_context(store.hold(run_holder(context), timeout=timeout))
        yield hold


@contextmanager
def _notice(context: Context, store: Store, timeout: float) -> Iterator[None]:
    """Tell the user who has the lock, if the wait for it within this context takes long."""
    tell, is_over = context.on_wait, threading.Event()

    def wait() -> None:
        if is_over.wait(durations.LOCK_NOTICE) or tell is None:
            return
        holder = None
        with suppress(InventoryError):
            # to see who has a lock that its server keeps, it is taken for a moment
            holder = None if store.keeps_lock else store.holder()
        if not is_over.is_set():
            tell(_notice_text(store.label, holder))

    if tell is not None and timeout > durations.LOCK_NOTICE:
        threading.Thread(target=wait, name="lock-notice", daemon=True).start()
    try:
        yield
    finally:
        is_over.set()


def _notice_text(label: str, holder: LockHolder | None) -> str:
    if holder is None:
        return f"Waiting for the lock of the inventory {label}..."
    who = holder.described(f": {holder.command}")
    return f"Waiting for the lock of the inventory {label}, which {who} holds..."


def run_holder(context: Context) -> LockHolder:
    """Return this run as the holder of a lock."""
    from reconciler.inventory.lock_holder import current_holder  # here, because most runs only read

    return current_holder(command=context.command, environ=context.environ, clock=time.time, who=context.who)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The result of checking an inventory against a run.

    `owner` is the owner that the next write records. `has_news` says that recording it is worth a write by
    itself.
    """

    owner: Owner
    has_news: bool
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Return the guards that the run violates."""
        return tuple(problem for problem in self.problems if problem.is_error)


def claim_inventory(
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
    """Return the claim of a run that sees these live endpoints.

    by_files: the run reads declarations, so their files are compared with the recorded ones. is_whole: it is
    about all endpoints, so that it may record other files. forgets: it drops records of endpoints that are
    gone. is_empty: it compared everything and has nothing to do; then files that were only renamed or moved
    violate no guard. guarded: violations are errors; otherwise, in a run that only reads, they are warnings.
    """
    recorded_owner = inventory.owner
    account = Account(
        url=base_url(settings),
        key=key_fingerprint(settings),
        live_ids={endpoint.id for endpoint in live},
        is_shared=settings.state_key is not None,
    )
    owner = replace(recorded_owner, account=account.key)
    environment = context.environment_name
    is_same_environment = recorded_owner.environment in ("", environment)
    files, recorded = FileSet.of(context), FileSet.recorded(context, recorded_owner)
    is_same = recorded is None or files.includes(recorded)
    is_new = has_nothing(inventory)
    if is_new or (by_files and (is_whole or (is_same and is_same_environment))):
        owner = replace(owner, environment=environment)
    if by_files and (is_whole or is_same):
        owner = with_files_of(context, owner)
    problems = [
        *account_guards(
            inventory,
            account,
            forgets=forgets,
            deleted=_interrupted_deletes(context, inventory, account),
            again=repeat_with(context, "--allow-other-account") if guarded else "",
        )
    ]
    is_moved = recorded is not None and is_empty and recorded.is_gone
    if not (is_same_environment or is_new):
        again = repeat_with(context, "--allow-other-files") if guarded else ""
        problems.append(environment_guard(recorded_owner.environment, environment, again=again))
    elif by_files and not is_same and recorded is not None and not is_moved and inventory.records:
        problems.append(
            files_guard(
                recorded=recorded.text(files),
                now=files.text(recorded),
                again=repeat_with(context, "--allow-other-files") if guarded else "",
            )
        )
    has_news = bool(inventory.records) and (
        bool(host_mismatch(inventory, account.url))
        or (account.is_other_key(inventory) and not account.is_shared)
        or not (inventory.base_url and recorded_owner.account)
        or (by_files and is_whole and not is_same)
        or (by_files and recorded is None)
        or (by_files and owner.environment != recorded_owner.environment)
    )
    return Claim(
        owner=owner,
        has_news=has_news,
        problems=tuple(_apply_allowances(context, problems, guarded=guarded)),
    )


def require_claim(
    context: Context,
    settings: Settings,
    inventory: Inventory,
    live: Iterable[Live],
    *,
    by_files: bool = False,
    forgets: bool = False,
) -> Claim:
    """Return the claim of a run that makes no plan. Raise InvalidConfig if it violates a guard."""
    claim = claim_inventory(context, settings, inventory, live, by_files=by_files, forgets=forgets)
    if claim.errors:
        raise InvalidConfig(*claim.errors)
    return claim


def with_files_of(context: Context, owner: Owner) -> Owner:
    """Return the owner with the files of the run, unchanged if they are the recorded ones."""
    files, recorded = FileSet.of(context), FileSet.recorded(context, owner)
    if recorded is not None and files.is_same_as(recorded):
        return owner
    return replace(owner, root=files.path_from(context.store.folder or context.root), files=files.relative)


def key_fingerprint(settings: Settings) -> str:
    """Return the fingerprint of the API key that an inventory records."""
    return Keyring.from_key(settings.api_key.value if settings.api_key else "").id


def _apply_allowances(context: Context, problems: Iterable[Problem], *, guarded: bool) -> Iterator[Problem]:
    """Turn the guards that the user allowed, or all if not `guarded`, into warnings or notes."""
    allowed = {
        "other-account": context.allow.other_account,
        "other-files": context.allow.other_files,
        "other-environment": context.allow.other_files,
    }
    for problem in problems:
        if not problem.is_error:
            if guarded:
                yield problem
        elif not guarded or allowed[problem.code]:
            severity = Severity.WARNING if problem.code == "other-account" else Severity.NOTE
            yield replace(problem, severity=severity, exit_code=1, hint="" if guarded else problem.hint)
        else:
            yield problem


def repeat_with(context: Context, flag: str) -> str:
    """Return, for a hint, how to repeat this run with one more flag."""
    if context.plan_command:
        return f"{command_line(*context.plan_command, flag)}, and apply that"
    if context.selection.names is None and context.command in _REPEATABLE_COMMANDS:
        return command_line(*context.command.split(), flag)
    return f"the same command with {flag}"


def _interrupted_deletes(context: Context, inventory: Inventory, account: Account) -> Collection[str]:
    """Return the IDs that an interrupted apply of the same API key was approved to delete."""
    if host_mismatch(inventory, account.url) or inventory.owner.account != account.key:
        return ()
    if all(record.id in account.live_ids for record in inventory.records.values()):
        return ()
    try:
        document = context.store.read_document(APPROVED_PLAN)
        changes = json.loads(document or b"")["saved_plan"]["changes"].values()
        return {change["id"] for change in changes if change["action"] in (Action.DELETE, Action.REPLACE)}
    except (InventoryError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()
