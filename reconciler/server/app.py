"""The application of `reconciler serve`: its routes, and what it holds while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from reconciler.model.errors import ReconcilerError
from reconciler.server.account_cache import AccountCache, AccountReadings
from reconciler.server.endpoint_objects import endpoint_object
from reconciler.server.responses import failure, json_response, snapshot_headers
from reconciler.server.settings import ServerSettings
from reconciler.workflow.runtime.context import Context


class Service:
    """What an application holds while it runs; handlers find it as `request.app.state.service`.

    Raise InvalidConfig if config.yaml is invalid or there is no API key.
    """

    def __init__(self, context: Context, settings: ServerSettings) -> None:
        self.context = context
        self.settings = settings
        self.readings = AccountReadings(context)
        self.cache = AccountCache(self.readings.take, interval=self.readings.settings.poll_interval)

    def close(self) -> None:
        self.cache.close()
        self.readings.close()


def service_of(request: Request) -> Service:
    """Return the service of the application that answers this request."""
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


def create_app(context: Context, settings: ServerSettings) -> Starlette:
    """Return the application for one folder. Raise InvalidConfig as `Service` does."""
    service = Service(context, settings)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(service.cache.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            service.close()

    app = Starlette(
        routes=[
            Route("/health", health, methods=["GET"]),
            Route("/api/v1/endpoints", list_endpoints, methods=["GET"]),
        ],
        lifespan=lifespan,
        exception_handlers={404: _not_found, 405: _not_found, ReconcilerError: _failed},
    )
    app.state.service = service
    return app


async def health(_request: Request) -> Response:
    """Answer that the process is alive."""
    return json_response({"status": "ok"})


async def list_endpoints(request: Request) -> Response:
    """Answer with all endpoints of the account, from the cache unless `fresh=1` asks Novita."""
    snapshot = await service_of(request).cache.get(fresh=request.query_params.get("fresh") == "1")
    infos = {info.id: info for info in snapshot.infos}
    objects = [endpoint_object(live, infos[live.id]) for live in snapshot.live]
    return json_response(objects, headers=snapshot_headers(snapshot))


async def _not_found(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("404 page not found", status_code=404)


async def _failed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ReconcilerError)
    return failure(error)
