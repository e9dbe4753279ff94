"""Checks that an inventory belongs to the account and to the files of a run."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final
from urllib.parse import urlsplit

from reconciler.model.command import shell_quote
from reconciler.model.hosts import is_loopback
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.resource import Inventory

SHARE, FLOOR = 0.30, 10
"""If this share of at least so many recorded endpoints is gone, the account is probably another one."""

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account that a run talks to.

    `url` is the root of its URLs, `key` the fingerprint of the API key, and `live_ids` are the IDs of all its
    endpoints. `is_shared` says that several keys are meant to write the inventory (RECONCILER_STATE_KEY).
    """

    url: str
    key: str
    live_ids: Collection[str]
    is_shared: bool = False

    def is_other_key(self, inventory: Inventory) -> bool:
        """Return whether the inventory is known to have been written with another API key."""
        return bool(inventory.owner.account) and inventory.owner.account != self.key


def host_mismatch(inventory: Inventory, url: str) -> str:
    """Return a message if the inventory was written for another host than the URL's, else ""."""
    if not inventory.base_url or server_of(inventory.base_url) == server_of(url):
        return ""
    return f"the inventory was written for {inventory.base_url}, and this run talks to {url}"


def server_of(url: str) -> tuple[str, int | None]:
    """Return host and port of a URL; every name of this machine is `localhost`."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    return "localhost" if is_loopback(host) else host, parts.port or _PORTS.get(parts.scheme)


def account_guards(
    inventory: Inventory,
    account: Account,
    *,
    forgets: bool = False,
    deleted: Collection[str] = (),
    again: str,
) -> Iterator[Problem]:
    """Yield the guard `other-account` if the inventory seems to be that of another account, or a note.

    `forgets` is true if the plan drops records of endpoints that are gone. `deleted` are IDs that an
    interrupted run was deleting. `again` is the command that agrees, "" for a run that only reads.
    """
    if has_nothing(inventory):
        return
    known = [record.id for record in inventory.records.values() if record.id not in deleted]
    gone = sum(object_id not in account.live_ids for object_id in known)
    is_other_key = account.is_other_key(inventory)
    is_unproven = is_other_key and gone == len(known)  # no endpoint shows that the account is the same
    if what := host_mismatch(inventory, account.url):
        pass
    elif (gone == len(known) >= 2) or (len(known) >= FLOOR and gone >= SHARE * len(known)):
        what = f"{gone} of the {len(known)} recorded endpoints are not in this account ({account.url})"
    elif is_unproven and (forgets or inventory.intents):
        what = f"nothing that the inventory records is in this account ({account.url})"
    else:
        if is_other_key and (gone or not account.is_shared):
            yield _other_key(is_shared=account.is_shared)
        return
    yield Problem(
        code="other-account",
        summary=what,
        detail=f"{_about_the_key(inventory, is_other_key=is_other_key)}\n{_what_is_left(inventory)}",
        hint="check NOVITA_API_KEY and NOVITA_BASE_URL; another account needs an inventory of its own, with "
        "--state PATH"
        + (
            ". If the endpoints were deleted on purpose, or the inventory is to leave the other account: "
            + again
            if again
            else ""
        ),
        exit_code=ExitCode.GUARD,
    )


def files_guard(*, recorded: str, now: str, again: str) -> Problem:
    """Return the guard `other-files` for two sets of files, as users may type them."""
    return Problem(
        code="other-files",
        summary=f"the inventory was written from {recorded}, and this run reads {now}",
        detail="Whatever only the other files declare would be deleted, and what both declare overwritten.",
        hint="give each set of files an inventory of its own, with --state PATH"
        + (f"; if these files are to take the place of the others: {again}" if again else ""),
        exit_code=ExitCode.GUARD,
    )


def environment_guard(recorded: str, now: str, *, again: str) -> Problem:
    """Return the guard `other-environment`; `now` is "" for a run in no environment."""
    run = f"this run is for `{now}`" if now else "this run is for no environment"
    return Problem(
        code="other-environment",
        summary=f"the inventory belongs to the environment `{recorded}`, and {run}",
        detail="Whatever only the other one declares would be deleted, and what both declare overwritten.",
        hint=f"-e {shell_quote(recorded)} chooses the environment of the inventory, and without --state each"
        " environment has an inventory of its own"
        + (f"; if the environment was renamed: {again}" if again else ""),
        exit_code=ExitCode.GUARD,
    )


def _what_is_left(inventory: Inventory) -> str:
    if server_of(inventory.base_url)[0] == "simulator":
        return "What it records was made in the simulator: it costs nothing, and may be left behind."
    return (
        "Recorded anew for this account, the inventory loses the IDs of what it leaves: "
        "what still runs there is billed, and no plan sees it."
    )


def _about_the_key(inventory: Inventory, *, is_other_key: bool) -> str:
    if is_other_key:
        return "The API key differs from the one that wrote the inventory."
    if inventory.owner.account:
        return "The API key is the one that wrote the inventory."
    return "The inventory does not say which API key wrote it."


def _other_key(*, is_shared: bool) -> Problem:
    return Problem(
        code="other-key",
        severity=Severity.NOTE,
        summary="the API key differs from the one that wrote this inventory",
        hint=""
        if is_shared
        else "after a rotation the next apply notes the new one; where several keys write it, set "
        "RECONCILER_STATE_KEY to the same value everywhere",
    )


def has_nothing(inventory: Inventory) -> bool:
    """Return True if nothing is recorded, and no create is open, of any kind."""
    return not (any(inventory.every_record()) or any(inventory.every_intent()))
