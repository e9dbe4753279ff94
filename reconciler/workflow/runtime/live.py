"""The live endpoints of an account, so that none that matters is missing, and its limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.model import durations
from reconciler.model.plan import Change, Create
from reconciler.model.resource import Inventory, Limits, Listing, Live
from reconciler.novita.account import AccountReader
from reconciler.novita.thread_pool import DaemonThreadPool
from reconciler.planning.pending_creates import new_endpoints


def list_after_settling(account: AccountReader, inventory: Inventory, settle_seconds: float) -> Listing:
    """List the account until every open create appears in it, or for `settle_seconds` at most."""
    if not inventory.intents:
        return list_complete(account, (record.id for record in inventory.records.values()))
    from reconciler.apply.clock import SystemClock, poll

    listing, created = Listing(endpoints=()), dict[str, Live]()
    for _ in poll(
        SystemClock(),
        within=settle_seconds,
        first=durations.FIRST_SETTLING_POLL,
        longest=durations.MAX_SETTLING_POLL,
    ):
        listing = list_complete(account, (record.id for record in inventory.records.values()))
        matches = [new_endpoints(intent, listing.endpoints) for intent in inventory.intents.values()]
        created.update((live.id, live) for endpoints in matches for live in endpoints)
        if all(matches):
            break
    # A later listing may lack an endpoint of an earlier one: pages may shift while they are read.
    listed_ids = {live.id for live in listing.endpoints}
    missing = tuple(live for live in created.values() if live.id not in listed_ids)
    return replace(listing, endpoints=(*listing.endpoints, *missing))


def list_complete(account: AccountReader, ids: Iterable[str]) -> Listing:
    """List the account, and read singly each endpoint with one of these IDs that the listing lacks.

    An endpoint whose answer has no readable ID is listed under the requested ID.
    """
    listing = account.listing()
    listed_ids = {live.id for live in listing.endpoints}
    missing = [endpoint_id for endpoint_id in ids if endpoint_id not in listed_ids]
    if not missing:
        return listing
    return replace(listing, endpoints=(*listing.endpoints, *account.get_many(missing)))


def limits_and_missed(
    account: AccountReader, listing: Listing, changes: Iterable[Change]
) -> tuple[Limits | None, tuple[Live, ...]]:
    """Return the account's limits, and live endpoints with a name to be created that the listing missed.

    A listing can miss an endpoint that moves between pages while they are read. The pages are read again
    in parallel with the limits, so this takes no extra time.
    """
    listed_ids = {live.id for live in listing.endpoints}
    names = {
        name
        for change in changes
        if isinstance(change, Create) and change.kind == account.kind.type
        for name in (change.name, change.desired.renamed_from)
    }
    with DaemonThreadPool(1) as pool:
        reread = pool.submit(account.read_pages, listing.pages if names else ())
        limits = account.optional.limits()
        endpoints = reread.result()
    return limits, tuple(
        live for live in endpoints if live.name in names and live.id not in listed_ids and live.is_identified
    )


def list_if_recorded(account: AccountReader, inventory: Inventory) -> tuple[Live, ...]:
    """Return the endpoints of the account, or nothing if no record could be compared with them."""
    if not inventory.records:
        return ()
    return list_complete(account, (record.id for record in inventory.records.values())).endpoints
