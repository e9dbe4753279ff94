"""All that is live: the listing, and what it lacks asked for by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.apply.clock import SystemClock, attempts
from reconciler.model.plan import Change, Create
from reconciler.model.resource import Inventory, Limits, Listing, Live
from reconciler.novita.account import Reader
from reconciler.novita.read_threads import Crew
from reconciler.planning.pending_creates import newcomers


def settled(account: Reader, inventory: Inventory, settle_seconds: float) -> Listing:
    """The whole account once the open creates had their time to arrive in it."""
    listed, arrived = Listing(endpoints=()), dict[str, Live]()
    for _ in attempts(SystemClock(), within=settle_seconds if inventory.intents else 0.0):
        listed = whole(account, (record.id for record in inventory.records.values()))
        found = [newcomers(intent, listed.endpoints) for intent in inventory.intents.values()]
        arrived.update((one.id, one) for ones in found for one in ones)
        if all(found):
            break
    # One that was seen must not be missed again: pages may shift while they are read.
    known = {one.id for one in listed.endpoints}
    missing = tuple(one for one in arrived.values() if one.id not in known)
    return replace(listed, endpoints=(*listed.endpoints, *missing))


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


def before_creating(
    account: Reader, listed: Listing, changes: Iterable[Change]
) -> tuple[Limits | None, tuple[Live, ...]]:
    """(the account's limits, what of the names to be created is live although the listing lacks it).

    Pages that are read one after the other may hide an endpoint that moves from one to another meanwhile.
    They are read once more at the same time as the limits, so that it costs no wait.
    """
    known = {one.id for one in listed.endpoints}
    names = {
        name
        for change in changes
        if isinstance(change, Create)
        for name in (change.name, change.desired.renamed_from)
    }
    with Crew(1) as beside:
        again = beside.begin(account.again, listed.pages if names else ())
        limits = account.limits()
        found = again.result()
    return limits, tuple(
        one for one in found if one.name in names and one.id not in known and one.is_identified
    )


def around(account: Reader, inventory: Inventory) -> tuple[Live, ...]:
    """What the account has, for who only wants to know whether the inventory is its own."""
    if not inventory.records:
        return ()
    return whole(account, (record.id for record in inventory.records.values())).endpoints
