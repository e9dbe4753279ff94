"""All that is live: the listing, and what it lacks asked for by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.applying.clock import RealClock, attempts
from reconciler.model.resource import Inventory, Listing
from reconciler.novita.remote import Reader
from reconciler.planning.intents import newcomers


def settled(account: Reader, inventory: Inventory, settle_seconds: float) -> Listing:
    """The whole account once the open creates had their time to arrive in it."""
    live = Listing(endpoints=())
    for _ in attempts(RealClock(), within=settle_seconds if inventory.intents else 0.0):
        live = whole(account, (record.id for record in inventory.records.values()))
        if all(newcomers(intent, live.endpoints) for intent in inventory.intents.values()):
            break
    return live


def whole(account: Reader, ids: Iterable[str]) -> Listing:
    """The whole account, with each of these IDs that the listing lacks asked for by itself.

    One that answers without a readable ID is among the endpoints under the ID that was asked for.
    """
    listed = account.listing()
    known = {one.id for one in listed.endpoints}
    missing = [one for one in ids if one not in known]
    if not missing:
        return listed
    return replace(listed, endpoints=(*listed.endpoints, *account.those(missing)))
