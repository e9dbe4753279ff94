"""The account of a run: Novita over HTTPS, or the simulator in this process; and its complete listing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from reconciler.apply.clock import SystemClock, poll
from reconciler.config.files.discovery import total_size
from reconciler.config.settings import missing_key_problem
from reconciler.kinds.registry import ENDPOINT
from reconciler.model import durations
from reconciler.model.errors import InvalidConfig
from reconciler.model.plan import Change, Create
from reconciler.model.resource import Inventory, Limits, Listing, Live
from reconciler.model.secrets import Secret
from reconciler.model.settings import Settings
from reconciler.novita.account import AccountReader, AccountWriter
from reconciler.novita.http.client import Client
from reconciler.novita.http.retry import Timing
from reconciler.novita.thread_pool import DaemonThreadPool
from reconciler.planning.pending_creates import new_endpoints
from reconciler.workflow.runtime.config import valid_settings
from reconciler.workflow.runtime.context import Context

PREFETCH_MIN_BYTES = 256 * 1024
"""Size of the endpoint files (about 300 endpoints) from which reading them takes longer than a request."""

SIMULATOR_URL = "http://simulator"
"""Placeholder for the address of the simulator in this process."""


def base_url(settings: Settings) -> str:
    """Return the root of every URL, without a trailing slash."""
    return SIMULATOR_URL if settings.is_simulator else settings.base_url


def require_api_key(settings: Settings) -> Secret:
    """Return the API key to send; the simulator accepts any. Raise InvalidConfig if there is none."""
    if settings.api_key:
        return settings.api_key
    if settings.is_simulator:
        return Secret(value="simulator", source="simulator")
    raise InvalidConfig(missing_key_problem())


@contextmanager
def _client(context: Context, settings: Settings, *, read_only: bool) -> Iterator[Client]:
    if context.client is not None:
        context.client.add_secrets(lambda: settings.secret_values)
        yield context.client
        return
    with new_client(context, settings, read_only=read_only) as client:
        yield client


def new_client(context: Context, settings: Settings, *, read_only: bool = False) -> Client:
    """Return a client; the caller closes it. Raise InvalidConfig if there is no API key."""
    key = require_api_key(settings)
    app = None
    if settings.is_simulator:
        from reconciler.simulator.embedded import embedded

        app = embedded(context.simulator_path)
    client = Client(
        base_url(settings),
        key,
        parallelism=context.parallelism,
        app=app,
        on_call=context.on_call,
        timing=Timing(is_own_process=context.is_own_process),
        read_only=read_only,
    )
    client.add_secrets(lambda: settings.secret_values)
    return client


@contextmanager
def reader(context: Context, settings: Settings) -> Iterator[AccountReader]:
    """Yield read access to the account: `AccountReader` has no writes, and its client sends none."""
    if context.account is not None:
        context.account.add_secrets(settings.secret_values)
        yield context.account
        return
    with _client(context, settings, read_only=True) as client:
        yield AccountReader(client, ENDPOINT, parallelism=context.parallelism, **_callbacks(context))


@contextmanager
def prefetched_account(context: Context) -> Iterator[Context]:
    """Yield the context with an account that is listed in the background while the files are read.

    The same context is yielded if the files are small or the settings are not valid.
    """
    is_worth_it = context.client is None and total_size(context.root, context.files) >= PREFETCH_MIN_BYTES
    settings = _prefetch_settings(context) if is_worth_it else None
    if settings is None:
        yield context
        return
    with new_client(context, settings, read_only=True) as client:
        account = AccountReader(client, ENDPOINT, parallelism=context.parallelism, **_callbacks(context))
        account.prefetch()
        try:
            yield replace(context, account=account)
        finally:
            account.cancel_prefetch()


def _prefetch_settings(context: Context) -> Settings | None:
    """Return the settings if they suffice to list the account; if not, loading the files reports why."""
    try:
        settings = valid_settings(context)
        require_api_key(settings)
    except InvalidConfig:
        return None
    return settings


@contextmanager
def remote(context: Context, settings: Settings) -> Iterator[AccountWriter]:
    """Yield write access to the account; only an approved plan gets it."""
    with _client(context, settings, read_only=False) as client:
        yield AccountWriter(client, ENDPOINT, parallelism=context.parallelism, on_unread=context.on_unread)


def _callbacks(context: Context) -> dict[str, Any]:
    """Return the callbacks for reads."""
    return {"on_listed": context.on_listed, "on_unread": context.on_unread}


def list_after_settling(account: AccountReader, inventory: Inventory, settle_seconds: float) -> Listing:
    """List the account until every open create appears in it, or for `settle_seconds` at most."""
    listing, created = Listing(endpoints=()), dict[str, Live]()
    for _ in poll(
        SystemClock(),
        within=settle_seconds if inventory.intents else 0.0,
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
        limits = account.limits()
        endpoints = reread.result()
    return limits, tuple(
        live for live in endpoints if live.name in names and live.id not in listed_ids and live.is_identified
    )


def list_if_recorded(account: AccountReader, inventory: Inventory) -> tuple[Live, ...]:
    """Return the endpoints of the account, or nothing if no record could be compared with them."""
    if not inventory.records:
        return ()
    return list_complete(account, (record.id for record in inventory.records.values())).endpoints
