"""The account of a run: Novita over HTTPS, or the simulator in this process.

The listing of a command begins here before the modules that plan are imported. So this module imports little.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from reconciler.config.files.discovery import total_size
from reconciler.kinds.registry import ENDPOINT, KINDS
from reconciler.model.encoding import json_bytes
from reconciler.model.errors import InventoryError, ReconcilerError
from reconciler.novita.account import AccountReader, AccountWriter
from reconciler.novita.http.client import Client
from reconciler.novita.http.retry import Timing
from reconciler.novita.thread_pool import DaemonThreadPool
from reconciler.workflow.runtime.settings import base_url, require_api_key, valid_settings

if TYPE_CHECKING:
    from reconciler.inventory.stores.base import Store
    from reconciler.model.resource import ListingProgress
    from reconciler.model.settings import Settings
    from reconciler.workflow.runtime.context import Context


@contextmanager
def _client(context: Context, settings: Settings) -> Iterator[Client]:
    if context.client is not None:
        context.client.add_secrets(lambda: settings.secret_values)
        yield context.client
        return
    with new_client(context, settings, read_only=True) as client:
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
    if context.early is not None:
        yield context.early.account_for(settings)
        return
    with _client(context, settings) as client:
        yield AccountReader(client, ENDPOINT, parallelism=context.parallelism, **_callbacks(context))


@contextmanager
def remote(context: Context, settings: Settings, check: Callable[[], None]) -> Iterator[AccountWriter]:
    """Yield write access to the account; only an approved plan gets it.

    `check` is called before each change, and raises if the run must not make it any more. The client has the
    connections of the early listing.
    """
    early = context.early
    opened = nullcontext(early.client) if early else _client(context, settings)
    with opened as client, client.for_writes(check) as writing:
        yield AccountWriter(writing, ENDPOINT, parallelism=context.parallelism, on_unread=context.on_unread)


def _callbacks(context: Context) -> dict[str, Any]:
    """Return the callbacks for reads."""
    return {"on_listed": context.on_listed, "on_unread": context.on_unread}


class EarlyListing:
    """A listing of the account that began before the endpoint files were read.

    The files may reference secrets. An error message of the server waits for them, to be masked.
    """

    def __init__(self, client: Client, account: AccountReader) -> None:
        self.client: Final = client
        self._account: Final = account
        self._are_secrets_known = threading.Event()
        client.add_secrets(self._wait_for_secrets)
        account.prefetch()

    def account_for(self, settings: Settings) -> AccountReader:
        """Return the account. Its messages are masked with the secrets of these settings too."""
        self._account.add_secrets(settings.secret_values)
        self._are_secrets_known.set()
        return self._account

    def report_to(self, on_listed: Callable[[ListingProgress], None] | None) -> None:
        """Report the progress of the listing to this function from now on."""
        self._account.report_to(on_listed)

    def list_recorded_kinds(self, store: Store) -> None:
        """Begin to list the other kinds that the inventory mentions, before it is parsed."""
        from reconciler.inventory.session import mentioned_types

        for kind in mentioned_types(store, (kind for kind in KINDS if kind != ENDPOINT.type)):
            self._account.of(kind).prefetch()

    def read_limits(self) -> None:
        """Begin to read the limits of the account, which a plan will check."""
        self._account.optional.begin_limits()

    def read_prices(self) -> None:
        """Begin to read the products, whose prices a plan with changes shows, and the balance."""
        self._account.optional.begin_products()
        self._account.optional.begin_balance()

    def read_balance(self) -> None:
        """Begin to read the balance of the account, without which its storages are released."""
        self._account.optional.begin_balance()

    def prepare_changes(self) -> None:
        """Begin to read the limits and the prices for a plan with changes, and import what computes it."""
        self.read_limits()
        self.read_prices()
        DaemonThreadPool(1).submit(_import_for_changes)

    def prepare_writes(self, count: int) -> None:
        """Open connections for that many writes, and import what they need, in the background."""
        self.client.warm(count)
        self.client.prepare_writes()
        DaemonThreadPool(1).submit(_import_for_writes)

    def end(self) -> None:
        """Report no further page, and wait for nothing."""
        self._are_secrets_known.set()
        self._account.cancel_prefetch()

    def _wait_for_secrets(self) -> tuple[str, ...]:
        self._are_secrets_known.wait()
        return ()


def _import_for_changes() -> None:
    """Import what a plan with changes needs between the listing and its text."""
    import reconciler.reports.run.cost_text
    import reconciler.reports.run.effects
    import reconciler.reports.run.text
    import reconciler.workflow.runtime.prices  # noqa: F401


def _import_for_writes() -> None:
    """Import what an apply needs beside httpx between the listing and its end."""
    import reconciler.inventory.stores.file.hold
    import reconciler.inventory.stores.file.lock
    import reconciler.workflow.runtime.git

    reconciler.workflow.runtime.git.prepare()
    json_bytes({})  # imports orjson


@contextmanager
def early_listing(
    context: Context, *, needs_files: bool = False, with_limits: bool = False, with_other_kinds: bool = False
) -> Iterator[Context]:
    """Yield the context with a listing of the account that has begun in the background.

    The same context is yielded if the settings do not suffice, which the command reports, or if there is no
    network to wait for. needs_files: do not begin without endpoint files, because the command will fail.
    with_limits: read the limits of the account as well, because the command will probably write.
    with_other_kinds: list the other kinds that are recorded as well, because the command is about all.
    """
    client = None if needs_files and not total_size(context.root, context.files) else _early_client(context)
    if client is None:
        yield context
        return
    with client:
        account = AccountReader(client, ENDPOINT, parallelism=context.parallelism, **_callbacks(context))
        early = EarlyListing(client, account)
        if with_limits:
            early.read_limits()
            early.read_prices()
        with suppress(InventoryError, OSError):  # the command reports it
            store = context.store
            if store.folder is None:
                DaemonThreadPool(1).submit(store.prepare_read)
            elif with_other_kinds:
                early.list_recorded_kinds(store)
        try:
            yield replace(context, early=early)
        finally:
            early.end()


def _early_client(context: Context) -> Client | None:
    """Return a client that reads, or None if the settings or the environment do not suffice for it."""
    if context.client is not None:
        return None
    try:
        settings = valid_settings(context)
        return None if settings.is_simulator else new_client(context, settings, read_only=True)
    except ReconcilerError:
        return None
