"""`reconciler recover`: settle creates of unknown outcome, by the listing or by the user. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from reconciler.inventory.session import load
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.resource import Intent, Inventory, Live, Tracked
from reconciler.model.secrets import Keyring
from reconciler.novita.account import AccountReader
from reconciler.planning.pending_creates import intent_record, resolve, unresolved
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.inventory import locked_inventory, require_claim
from reconciler.workflow.runtime.live import list_after_settling, list_if_recorded
from reconciler.workflow.runtime.settings import base_url, valid_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverResult:
    """The outcome of each open create: a record, no endpoint, or unresolved."""

    made: tuple[Tracked, ...] = ()
    nothing: tuple[str, ...] = ()
    unresolved: tuple[Problem, ...] = ()
    deposed: Mapping[str, Tracked] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedOutcome:
    """The outcome of one open create as the user states it: the ID, or None for no endpoint."""

    name: str
    id: str | None


def recover(context: Context, stated: StatedOutcome | None = None) -> RecoverResult:
    """Settle every open create by the listing, or a single one by the `stated` outcome.

    Raise InvalidConfig if the stated outcome is impossible, or the inventory belongs to another account.
    """
    inventory = load(context.state_path)
    if stated is not None:
        _require_intent(inventory, stated.name)
    if not inventory.intents:
        return RecoverResult()
    settings = valid_settings(context)
    with (
        reader(context, settings) as account,
        locked_inventory(context, base_url(settings)) as session,
    ):
        inventory = session.inventory
        if stated is not None:
            claim = require_claim(context, settings, inventory, list_if_recorded(account, inventory))
            result = _from_user(account, inventory, stated)
        else:
            live = list_after_settling(account, inventory, settings.settle_seconds).endpoints
            claim = require_claim(context, settings, inventory, live)
            result = _from_listing(inventory, live, settings.keyring)
        if result.made or result.nothing:
            session.set_owner(claim.owner)
        for record in result.made:
            session.record(record, deposed=result.deposed.get(record.name))
        for name in result.nothing:
            session.close_intent(name)
    return result


def _from_listing(inventory: Inventory, live: Iterable[Live], keyring: Keyring) -> RecoverResult:
    resolution = resolve(inventory, live, keyring)
    return RecoverResult(
        made=tuple(resolution.created.values()),
        nothing=tuple(resolution.open),
        unresolved=tuple(unresolved(name, matches) for name, matches in resolution.unresolved.items()),
        deposed=resolution.deposed,
    )


def _from_user(account: AccountReader, inventory: Inventory, stated: StatedOutcome) -> RecoverResult:
    intent = _require_intent(inventory, stated.name)
    if stated.id is None:
        return RecoverResult(nothing=(intent.name,))
    live = account.get(stated.id)
    if live is None or live.is_terminating:
        raise InvalidConfig(_impossible(intent.name, stated.id, "there is no such endpoint"))
    if live.name != intent.name:
        raise InvalidConfig(_impossible(intent.name, stated.id, f"it is called `{live.name}`"))
    if live.id in intent.known_ids:
        raise InvalidConfig(_impossible(intent.name, stated.id, "it existed before the create"))
    before = inventory.records.get(intent.name)
    still_there = before is not None and account.get(before.id) is not None
    deposed = {intent.name: before.deposed()} if before and still_there else {}
    return RecoverResult(made=(intent_record(intent, live.id),), deposed=deposed)


def _require_intent(inventory: Inventory, name: str) -> Intent:
    """Return the open create of that name. Raise InvalidConfig if there is none."""
    if name not in inventory.intents:
        raise InvalidConfig(
            Problem(
                code="not-open",
                summary=f"no create of `{name}` is open",
                hint="reconciler recover   settles all open creates",
            )
        )
    return inventory.intents[name]


def _impossible(name: str, object_id: str, reason: str) -> Problem:
    return Problem(
        code="not-it",
        summary=f"{object_id} cannot be `{name}`: {reason}",
        hint="reconciler recover   shows the candidates",
    )
