"""`reconciler recover`: settle creates of unknown outcome, by the listing or by the user. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from reconciler.inventory.session import load
from reconciler.kinds.registry import KINDS, split_address
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.resource import ENDPOINT, Intent, Inventory, Live, Tracked
from reconciler.model.secrets import Keyring
from reconciler.novita.account import AccountReader
from reconciler.planning.pending_creates import intent_record, resolve, unresolved
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import neighbors_by_id
from reconciler.workflow.runtime.inventory import locked_inventory, require_claim
from reconciler.workflow.runtime.live import list_after_settling, list_if_recorded
from reconciler.workflow.runtime.settings import base_url, valid_settings
from reconciler.workflow.stores.neighbors import refuse_of_neighbors


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverResult:
    """The outcome of each open create: a record, nothing, or unresolved. `deposed` has records by address."""

    made: tuple[Tracked, ...] = ()
    nothing: tuple[Intent, ...] = ()
    unresolved: tuple[Problem, ...] = ()
    deposed: Mapping[str, Tracked] = field(default_factory=dict)

    def __add__(self, other: RecoverResult) -> RecoverResult:
        return RecoverResult(
            made=(*self.made, *other.made),
            nothing=(*self.nothing, *other.nothing),
            unresolved=(*self.unresolved, *other.unresolved),
            deposed={**self.deposed, **other.deposed},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedOutcome:
    """The outcome of one open create as the user states it: the ID, or None if nothing was made.

    name: the name of an endpoint, or the address of another resource.
    """

    name: str
    id: str | None


def recover(context: Context, stated: StatedOutcome | None = None) -> RecoverResult:
    """Settle every open create by the listing, or a single one by the `stated` outcome.

    Raise InvalidConfig if the stated outcome is impossible, or the inventory belongs to another account.
    """
    inventory = load(context.store)
    if stated is not None:
        _require_intent(inventory, stated.name)
    if not any(inventory.every_intent()):
        return RecoverResult()
    settings = valid_settings(context)
    with (
        reader(context, settings) as account,
        locked_inventory(context, base_url(settings)) as session,
    ):
        inventory = session.inventory
        if stated is not None:
            claim = require_claim(context, settings, inventory, list_if_recorded(account, inventory))
            if stated.id is not None:
                refuse_of_neighbors(context, {stated.id: stated.name})
            result = _from_user(account, inventory, stated)
        else:
            live = {
                kind: list_after_settling(
                    account.of(kind), inventory.of(kind), settings.settle_seconds
                ).endpoints
                for kind in (ENDPOINT, *inventory.others)
            }
            claim = require_claim(context, settings, inventory, live[ENDPOINT])
            taken = neighbors_by_id(context)
            result = RecoverResult()
            for kind, found in live.items():
                free = [one for one in found if one.id not in taken]
                result += _from_listing(inventory.of(kind), free, settings.keyring)
        if result.made or result.nothing:
            session.set_owner(claim.owner)
        for record in result.made:
            session.record(record, deposed=result.deposed.get(record.address))
        for intent in result.nothing:
            session.close_intent(intent.name, intent.kind)
    return result


def _from_listing(inventory: Inventory, live: Iterable[Live], keyring: Keyring) -> RecoverResult:
    resolution = resolve(inventory, live, keyring)
    return RecoverResult(
        made=tuple(resolution.created.values()),
        nothing=tuple(resolution.open.values()),
        unresolved=tuple(unresolved(name, matches) for name, matches in resolution.unresolved.items()),
        deposed={resolution.created[name].address: record for name, record in resolution.deposed.items()},
    )


def _from_user(account: AccountReader, inventory: Inventory, stated: StatedOutcome) -> RecoverResult:
    intent = _require_intent(inventory, stated.name)
    if stated.id is None:
        return RecoverResult(nothing=(intent,))
    account, noun = account.of(intent.kind), KINDS[intent.kind].noun
    live = account.get(stated.id)
    if live is None or live.is_terminating:
        raise InvalidConfig(_impossible(intent.name, stated.id, f"there is no such {noun}"))
    if live.name != intent.name:
        raise InvalidConfig(_impossible(intent.name, stated.id, f"it is called `{live.name}`"))
    if live.id in intent.known_ids:
        raise InvalidConfig(_impossible(intent.name, stated.id, "it existed before the create"))
    before = inventory.of(intent.kind).records.get(intent.name)
    still_there = before is not None and account.get(before.id) is not None
    made = intent_record(intent, live.id)
    return RecoverResult(
        made=(made,), deposed={made.address: before.deposed()} if before and still_there else {}
    )


def _require_intent(inventory: Inventory, name: str) -> Intent:
    """Return the open create of that name. Raise InvalidConfig if there is none."""
    kind, own_name = split_address(name)
    intent = inventory.of(kind).intents.get(own_name)
    if intent is None:
        raise InvalidConfig(
            Problem(
                code="not-open",
                summary=f"no create of `{name}` is open",
                hint="reconciler recover   settles all open creates",
            )
        )
    return intent


def _impossible(name: str, object_id: str, reason: str) -> Problem:
    return Problem(
        code="not-it",
        summary=f"{object_id} cannot be `{name}`: {reason}",
        hint="reconciler recover   shows the candidates",
    )
