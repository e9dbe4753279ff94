"""What the application of `reconciler serve` holds while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from starlette.requests import Request

from reconciler.model.apply_events import ChangeResult
from reconciler.model.errors import (
    EndpointNotFound,
    InvalidConfig,
    InventoryLocked,
    NotApplied,
    ReconcilerError,
)
from reconciler.model.resource import Live
from reconciler.model.status import EndpointInfo
from reconciler.sdk.change import make_change
from reconciler.server.account_cache import Snapshot
from reconciler.server.account_service import AccountService
from reconciler.server.api.endpoint_objects import endpoint_object
from reconciler.server.metrics import Metrics, RequestMetrics
from reconciler.server.responses import go_json
from reconciler.server.settings import ServerSettings
from reconciler.server.sync.view import Controlled, SyncView
from reconciler.server.tokens import Caller
from reconciler.workflow.plan import Goal
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.specs import list_specs

_REFUSALS: Final = (EndpointNotFound, InvalidConfig, InventoryLocked, NotApplied)


class Service(AccountService):
    """What an application holds while it runs; handlers find it with `service_of`.

    `stopping` is set when the server is told to stop, so that streams end. `sync` shows the controller of
    this process, None in `serve`. Raise InvalidConfig if config.yaml is invalid or there is no API key.
    """

    def __init__(
        self, context: Context, settings: ServerSettings, controlled: Controlled | None = None
    ) -> None:
        self.sync = SyncView(controlled) if controlled else None
        super().__init__(context)
        self.settings = settings
        self.metrics: RequestMetrics = controlled.metrics if controlled else Metrics(self.cache)
        self.stopping = asyncio.Event()

    @property
    def context(self) -> Context:
        """Return the context of reads and writes. A controller has that of the files in force."""
        return self.sync.controlled.boards[0].context if self.sync else super().context

    def context_for(self, caller: Caller) -> Context:
        """Return the context of a change: its record and the lock name the caller; helpers run again."""
        return replace(
            self.context, who=caller.name, lock_timeout=self.settings.lock_timeout, helper_calls={}
        )

    async def change(self, prepare: Callable[[], tuple[Context, Goal]]) -> ChangeResult | None:
        """Plan and apply a change in a thread. Raise as `make_change` does, and TooManyWrites.

        It runs to its end, even if the client goes away. Afterwards readers wait for a new listing.
        """

        def run() -> ChangeResult | None:
            return make_change(*prepare())

        try:
            result = await self.write(run)
        except ReconcilerError as error:
            self.metrics.count_change("refused" if isinstance(error, _REFUSALS) else "error")
            raise
        self.metrics.count_change("no_change" if result is None else "success")
        return result

    async def snapshot(self, request: Request) -> Snapshot:
        """Return the snapshot that a request asks for: with `?fresh=1` one that begins now."""
        return await self.cache.get(fresh=request.query_params.get("fresh") == "1")

    def _take(self, previous: Snapshot | None) -> Snapshot:
        """List the account, and encode the answer to all readers of the list before they see it."""
        snapshot = super()._take(previous)
        specs = list_specs(self.context).specs
        names = {(spec.product_id, spec.region): spec.name for spec in reversed(specs)}
        snapshot = replace(snapshot, spec_names=names)
        infos = {info.id: info for info in snapshot.infos}
        live = sorted(snapshot.live, key=lambda live: (live.name, live.id))
        objects = [endpoint_object(one, infos[one.id], spec=snapshot.spec_of(infos[one.id])) for one in live]
        return replace(snapshot, list_json=go_json(objects))


def service_of(request: Request) -> Service:
    """Return the service of the application that answers this request."""
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


def find_in(snapshot: Snapshot, name: str) -> tuple[Live, EndpointInfo] | None:
    """Return the endpoint of that name, or else of that ID; a terminating one only if there is no other."""
    infos = sorted(
        (info for info in snapshot.infos if name in (info.name, info.id)),
        key=lambda info: (info.name != name, info.status == "Terminating"),
    )
    if not infos:
        return None
    return next(live for live in snapshot.live if live.id == infos[0].id), infos[0]
