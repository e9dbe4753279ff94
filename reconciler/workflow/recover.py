"""`reconciler recover`: settle creates of unknown outcome, by the listing or by the user. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.inventory.session import load
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.model.resource import Intent, Inventory, Live, Tracked
from reconciler.model.secrets import Keyring
from reconciler.novita.account import AccountReader
from reconciler.planning.pending_creates import recorded, resolve, unresolved
from reconciler.workflow.runtime.account import base_url, list_after_settling, list_if_recorded, reader
from reconciler.workflow.runtime.config import valid_settings
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.inventory import locked_inventory, require_claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What each open create turned out to be: made, nothing, or still beyond us."""

    made: tuple[Tracked, ...] = ()
    nothing: tuple[str, ...] = ()
    unresolved: tuple[Problem, ...] = ()
    deposed: Mapping[str, Tracked] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A person's word on one open create: this ID is it, or with None, it made nothing."""

    name: str
    id: str | None


def recover(context: Context, word: Word | None = None) -> Recovered:
    """Settle every open create, or by `word` a single one; a no-op when nothing is open.

    Raises InvalidConfig where the word cannot be true, or the inventory is that of another account.
    """
    inventory = load(context.state_path)
    if word is not None:
        _intent(inventory, word.name)
    if not inventory.intents:
        return Recovered()
    settings = valid_settings(context)
    with (
        reader(context, settings) as account,
        locked_inventory(context, base_url(settings)) as session,
    ):
        inventory = session.inventory
        if word is not None:
            claim = require_claim(context, settings, inventory, list_if_recorded(account, inventory))
            found = _by_word(account, inventory, word)
        else:
            live = list_after_settling(account, inventory, settings.settle_seconds).endpoints
            claim = require_claim(context, settings, inventory, live)
            found = _by_looking(inventory, live, settings.keyring)
        if found.made or found.nothing:
            session.set_owner(claim.owner)
        for tracked in found.made:
            session.record(tracked, deposed=found.deposed.get(tracked.name))
        for name in found.nothing:
            session.close_intent(name)
    return found


def _by_looking(inventory: Inventory, live: Iterable[Live], keyring: Keyring) -> Recovered:
    resolution = resolve(inventory, live, keyring)
    return Recovered(
        made=tuple(resolution.made.values()),
        nothing=tuple(resolution.open),
        unresolved=tuple(unresolved(name, ones) for name, ones in resolution.unresolved.items()),
        deposed=resolution.deposed,
    )


def _by_word(account: AccountReader, inventory: Inventory, word: Word) -> Recovered:
    intent = _intent(inventory, word.name)
    if word.id is None:
        return Recovered(nothing=(intent.name,))
    live = account.get(word.id)
    if live is None or live.is_terminating:
        raise InvalidConfig(_not_it(intent.name, word.id, "there is no such endpoint"))
    if live.name != intent.name:
        raise InvalidConfig(_not_it(intent.name, word.id, f"it is called `{live.name}`"))
    if live.id in intent.known_ids:
        raise InvalidConfig(_not_it(intent.name, word.id, "it was there before"))
    before = inventory.records.get(intent.name)
    still_there = before is not None and account.get(before.id) is not None
    deposed = {intent.name: before.deposed()} if before and still_there else {}
    return Recovered(made=(recorded(intent, live.id),), deposed=deposed)


def _intent(inventory: Inventory, name: str) -> Intent:
    """The open create of that name. Raises InvalidConfig when there is none."""
    if name not in inventory.intents:
        raise InvalidConfig(
            Problem(
                code="not-open",
                summary=f"no create of `{name}` is open",
                hint="see what is with: reconciler recover",
            )
        )
    return inventory.intents[name]


def _not_it(name: str, object_id: str, why: str) -> Problem:
    return Problem(
        code="not-it",
        summary=f"{object_id} cannot be `{name}`: {why}",
        hint="see what is there with: reconciler recover",
    )
