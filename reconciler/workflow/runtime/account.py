"""The account that a run talks to: Novita over HTTPS, or the simulator in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from reconciler.apply.clock import SystemClock, attempts
from reconciler.config.files.discovery import size_of
from reconciler.config.loader import load_settings
from reconciler.config.settings import key_problem
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.errors import InvalidConfig
from reconciler.model.plan import Change, Create
from reconciler.model.resource import Inventory, Limits, Listing, Live
from reconciler.model.settings import Settings
from reconciler.model.values import Secret
from reconciler.novita.account import AccountReader, AccountWriter
from reconciler.novita.http.client import Client
from reconciler.novita.http.retry import Timing
from reconciler.novita.thread_pool import DaemonThreadPool
from reconciler.planning.pending_creates import newcomers
from reconciler.workflow.runtime.context import Context

LARGE = 256 * 1024
"""Bytes of endpoint files, about three hundred endpoints, that take longer to read than a call to begin."""

SIMULATOR_URL = "http://simulator"
"""What stands for the address of the simulator that runs in this process."""


def base_url(settings: Settings) -> str:
    """The root of every URL, without a slash at the end."""
    return SIMULATOR_URL if settings.is_simulator else settings.base_url


def settings_of(context: Context) -> Settings:
    """The settings without errors in them, whatever the endpoint files say. Raises InvalidConfig."""
    settings, problems = load_settings(context.root, environ=context.environ, dotenv=context.dotenv)
    if any(problem.is_error for problem in problems):
        raise InvalidConfig(*problems)
    return settings


def with_key(settings: Settings) -> Secret:
    """The key to send. Raises InvalidConfig where there is none; the simulator takes any."""
    if settings.api_key:
        return settings.api_key
    if settings.is_simulator:
        return Secret(value="simulator", source="simulator")
    raise InvalidConfig(key_problem())


@contextmanager
def _client(context: Context, settings: Settings, *, read_only: bool) -> Iterator[Client]:
    if context.client is not None:
        context.client.hide(lambda: settings.hidden)
        yield context.client
        return
    with new_client(context, settings, read_only=read_only) as client:
        yield client


def new_client(context: Context, settings: Settings, *, read_only: bool = False) -> Client:
    """A client that the caller closes. Raises InvalidConfig where there is no key."""
    key = with_key(settings)
    app = None
    if settings.is_simulator:
        from reconciler.simulator.embedded import embedded

        app = embedded(context.world_path)
    client = Client(
        base_url(settings),
        key,
        parallelism=context.parallelism,
        app=app,
        on_call=context.on_call,
        timing=Timing(own_process=context.own_process),
        read_only=read_only,
    )
    client.hide(lambda: settings.hidden)
    return client


@contextmanager
def reader(context: Context, settings: Settings) -> Iterator[AccountReader]:
    """An account that can only be read: `AccountReader` has no writes, and its client would send none."""
    if context.account is not None:
        context.account.hide(settings.hidden)
        yield context.account
        return
    with _client(context, settings, read_only=True) as client:
        yield AccountReader(client, ENDPOINT, parallelism=context.parallelism, **_heard_by(context))


@contextmanager
def read_ahead(context: Context) -> Iterator[Context]:
    """The same run, its account being listed while its endpoint files are read, where that may save time.

    Where the files are small, or the settings in doubt, nothing is asked for before all has been read.
    """
    is_worth_it = context.client is None and size_of(context.root, context.files) >= LARGE
    settings = _sound_settings(context) if is_worth_it else None
    if settings is None:
        yield context
        return
    from reconciler.novita.account import PrefetchingReader

    with new_client(context, settings, read_only=True) as client:
        account = PrefetchingReader(client, ENDPOINT, parallelism=context.parallelism, **_heard_by(context))
        account.begin()
        try:
            yield replace(context, account=account)
        finally:
            account.abandon()


def _sound_settings(context: Context) -> Settings | None:
    """The settings, if they are enough to talk to the account; if not, `load` will tell why."""
    settings, problems = load_settings(context.root, environ=context.environ, dotenv=context.dotenv)
    has_key = bool(settings.api_key or settings.is_simulator)
    return settings if has_key and not any(one.is_error for one in problems) else None


@contextmanager
def remote(context: Context, settings: Settings) -> Iterator[AccountWriter]:
    """An account that can be written to; only an approved plan gets one."""
    with _client(context, settings, read_only=False) as client:
        yield AccountWriter(client, ENDPOINT, parallelism=context.parallelism, on_unread=context.on_unread)


def _heard_by(context: Context) -> dict[str, Any]:
    """Who is told of what is read."""
    return {"on_listed": context.on_listed, "on_unread": context.on_unread}


def settled(account: AccountReader, inventory: Inventory, settle_seconds: float) -> Listing:
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


def whole(account: AccountReader, ids: Iterable[str]) -> Listing:
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
    account: AccountReader, listed: Listing, changes: Iterable[Change]
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
    with DaemonThreadPool(1) as beside:
        again = beside.begin(account.again, listed.pages if names else ())
        limits = account.limits()
        found = again.result()
    return limits, tuple(
        one for one in found if one.name in names and one.id not in known and one.is_identified
    )


def around(account: AccountReader, inventory: Inventory) -> tuple[Live, ...]:
    """What the account has, for who only wants to know whether the inventory is its own."""
    if not inventory.records:
        return ()
    return whole(account, (record.id for record in inventory.records.values())).endpoints
