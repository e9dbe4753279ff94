"""The routes of the pages."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import Route

from reconciler.server.pages.changes import apply_plan, show_plan, show_run, show_runs, stop_run
from reconciler.server.pages.endpoints import show_endpoint, show_endpoints
from reconciler.server.pages.pages import Pages, show_static
from reconciler.server.pages.sign_in import show_sign_in, sign_in, sign_out
from reconciler.server.pages.stream import follow_changes
from reconciler.server.service import Service
from reconciler.server.sync.pages import approve_waiting, follow_sync, show_environment, show_sync


def page_routes(service: Service) -> Sequence[Route]:
    """Return the routes of all pages."""
    pages = Pages(service)
    return (
        pages.reading("/", show_endpoints),
        pages.reading("/endpoints/{name}", show_endpoint),
        pages.reading("/events", follow_changes),
        pages.reading("/plan", show_plan),
        pages.form("/apply", apply_plan, writes=True),
        pages.reading("/runs", show_runs),
        pages.reading("/runs/{number}", show_run),
        pages.form("/runs/{number}/stop", stop_run, writes=True),
        pages.open("/sign-in", show_sign_in),
        pages.form("/sign-in", sign_in, writes=False),
        pages.form("/sign-out", sign_out, writes=False),
        pages.open("/static/{name}", show_static),
        *(_sync_routes(pages) if service.sync else ()),
    )


def _sync_routes(pages: Pages) -> Sequence[Route]:
    """Return the routes of the pages of a controller."""
    return (
        pages.reading("/sync", show_sync),
        pages.reading("/sync/events", follow_sync),
        pages.form("/sync/approve", approve_waiting, writes=True),
        pages.reading("/environments/{environment}", show_environment),
    )
