"""The application of `reconciler serve`: its routes, its middleware and its errors."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Match, Route

from reconciler.model.errors import ReconcilerError
from reconciler.novita.http.client import CallInfo
from reconciler.server.access_log import AccessLog
from reconciler.server.api.bodies import BadBody
from reconciler.server.api.openapi import openapi_document
from reconciler.server.api.route_table import OPERATIONS, Access, Operation
from reconciler.server.api.writes import bad_body
from reconciler.server.guard import Guard, access_problem
from reconciler.server.metrics import Metrics
from reconciler.server.pages.routes import page_routes
from reconciler.server.responses import crashed, error_response, failure
from reconciler.server.service import Service
from reconciler.server.settings import ServerSettings
from reconciler.server.sync.operations import controlled_operations
from reconciler.server.sync.view import Controlled
from reconciler.workflow.runtime.context import Context


def create_app(context: Context, settings: ServerSettings) -> Starlette:
    """Return the application of `serve`, for one folder.

    Raise InvalidConfig for settings that are not safe or not valid. Handlers find what it holds with
    `service_of`.
    """

    def count_call(call: CallInfo) -> None:
        assert isinstance(service.metrics, Metrics)
        service.metrics.count_call(call)
        if context.on_call is not None:
            context.on_call(call)

    settings.check()
    service = Service(replace(context, on_call=count_call), settings)
    return _app(service, OPERATIONS, "reconciler serve")


def create_controller_app(controlled: Controlled, settings: ServerSettings) -> Starlette:
    """Return the application of `run`, which also has the state of the controller. Raise as `create_app`."""
    settings.check()
    service = Service(controlled.boards[0].context, settings, controlled)
    return _app(service, controlled_operations(controlled), "reconciler run")


def _app(service: Service, operations: Sequence[Operation], title: str) -> Starlette:
    settings = service.settings

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
        routes=[*(_route(operation, settings) for operation in operations), *page_routes(service)],
        lifespan=lifespan,
        middleware=[
            Middleware(
                AccessLog, metrics=service.metrics, stream=sys.stderr if settings.access_log else None
            ),
            Middleware(Guard, settings=settings),
        ],
        exception_handlers={
            404: _not_found,
            405: _not_found,
            ReconcilerError: _failed,
            BadBody: bad_body,
        },
    )
    app.router.redirect_slashes = False
    app.state.service = service
    app.state.metrics = service.metrics
    app.state.openapi = openapi_document(operations, title)
    return app


def _route(operation: Operation, settings: ServerSettings) -> Route:
    """Return the route of an operation, which checks the right to it first."""

    async def endpoint(request: Request) -> Response:
        request.state.route = operation.path
        if operation.access is not Access.OPEN:
            refusal = access_problem(request, settings, writes=operation.access is Access.WRITE)
            if refusal is not None:
                return refusal
        try:
            return await operation.handler(request)
        except (ReconcilerError, BadBody):
            raise
        except ClientDisconnect:
            return error_response(400, "the client closed the connection")
        except Exception as error:  # answered here, since the text of a traceback could hold a secret
            return crashed(error)

    route = Route(operation.path, endpoint, methods=[operation.method], name=operation.id)
    assert route.methods is not None
    route.methods.discard("HEAD")  # the original service has none
    return route


async def _not_found(request: Request, _error: Exception) -> Response:
    path = request.url.path
    if path.startswith("/api/") and path.endswith("/"):
        shorter = {**request.scope, "path": path[:-1], "raw_path": path[:-1].encode()}
        if any(route.matches(shorter)[0] is Match.FULL for route in request.app.router.routes):
            return RedirectResponse(path[:-1], status_code=301 if request.method == "GET" else 307)
    return PlainTextResponse("404 page not found", status_code=404)


async def _failed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ReconcilerError)
    return failure(error)
