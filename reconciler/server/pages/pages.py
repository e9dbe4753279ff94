"""The pages: their routes, the checks of every request, and what they share."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from reconciler.model.errors import ReconcilerError
from reconciler.model.problem import Problem
from reconciler.reports.html.cards import problem_card
from reconciler.server.account_cache import Snapshot
from reconciler.server.guard import BodyTooLarge, read_body
from reconciler.server.pages.query import Query
from reconciler.server.pages.rendering import render, static_file, template_text
from reconciler.server.pages.rows import Table, Tables
from reconciler.server.pages.runs import Runs
from reconciler.server.pages.sessions import Session, Sessions
from reconciler.server.responses import crashed, error_response, status_of
from reconciler.server.service import Service

Form = Mapping[str, str]
Reader = Callable[["Pages", Request, Session], Awaitable[Response]]
Writer = Callable[["Pages", Request, Session, Form], Awaitable[Response]]

_KEPT_TABLES: Final = 16
"""Tables as HTML that are kept (count). Most browsers show the same one."""


_AGE_PRECISION: Final = 5.0
"""Seconds for which a table as HTML is kept; the script of the page counts on."""


class Pages:
    """What all pages share: sessions, the rows of the table, and the tables as HTML.

    planning: held while a plan is made for a page, since one after the other is enough.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        sync = (("/sync", "Sync"),) if service.sync else ()
        self.sessions = Sessions(
            service.settings,
            (("/", "Endpoints"), *sync, ("/plan", "Plan"), ("/runs", "Runs"), ("/docs", "API")),
        )
        self.tables = Tables(service.context.store, service.context.environment_name)
        self.runs = Runs(service)
        self.planning = asyncio.Lock()
        self._html: dict[tuple[object, ...], str] = {}
        self._html_lock = threading.Lock()

    async def table(self, snapshot: Snapshot) -> Table:
        """Return the table of a snapshot."""
        made = self.tables.latest
        if made is not None and made.snapshot.number >= snapshot.number:
            return made
        seen = tuple(self.service.cache.history)
        return await asyncio.to_thread(self.tables.table, snapshot, seen)

    async def table_html(self, table: Table, query: Query) -> tuple[str, int]:
        """Return the rows as HTML, and their number. Ages are up to some seconds late."""
        rows = query.select(table.rows)
        key = (table.number, query, time.monotonic() // _AGE_PRECISION)

        def make() -> str:
            with self._html_lock:
                if key not in self._html:
                    while len(self._html) >= _KEPT_TABLES:
                        del self._html[next(iter(self._html))]
                    self._html[key] = template_text("rows.html", rows=rows, query=query)
                return self._html[key]

        html = self._html.get(key)
        return (await asyncio.to_thread(make) if html is None else html), len(rows)

    def reading(self, path: str, handler: Reader) -> Route:
        """Return the route of a page. A browser without the right to read is asked to sign in."""

        async def endpoint(request: Request) -> Response:
            request.state.route = path
            session = self.sessions.of(request)
            request.state.caller = session.caller
            if not session.caller.may_read:
                target = quote(request.url.path, safe="")
                return RedirectResponse(f"/sign-in?next={target}", status_code=303)
            return await self._answered(handler(self, request, session), session)

        return Route(path, endpoint, methods=["GET"])

    def open(self, path: str, handler: Reader) -> Route:
        """Return the route of a page that everybody may see."""

        async def endpoint(request: Request) -> Response:
            request.state.route = path
            return await handler(self, request, self.sessions.of(request))

        return Route(path, endpoint, methods=["GET"])

    def form(self, path: str, handler: Writer, *, writes: bool) -> Route:
        """Return the route of a form, which must come from a page that this browser was shown.

        writes: only for a caller with the right to write.
        """

        async def endpoint(request: Request) -> Response:
            request.state.route = path
            session = self.sessions.of(request)
            request.state.caller = session.caller
            try:
                body = await read_body(request)
            except BodyTooLarge:
                return error_response(413, "the form is too large")
            except TimeoutError:
                return error_response(408, "the form did not arrive in time")
            form = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=20))
            if not session.sent(form.get("key", "")):
                return self.refusal(session, 403, _strange_form())
            if writes and not session.caller.may_write:
                return self.refusal(session, 403, _read_only())
            return await self._answered(handler(self, request, session, form), session)

        return Route(path, endpoint, methods=["POST"])

    async def _answered(self, answer: Awaitable[Response], session: Session) -> Response:
        try:
            return await answer
        except ReconcilerError as error:
            return self.refusal(session, status_of(error), *error.problems)
        except Exception as error:  # answered here, since the text of a traceback could hold a secret
            return crashed(error)

    def refusal(self, session: Session, status: int, *problems: Problem) -> Response:
        """Return a page that says what is wrong and how to go on."""
        return render(
            "problems.html",
            status=status,
            session=session,
            place="",
            heading="That did not work" if status != 404 else "Not found",
            cards="".join(map(problem_card, problems)),
            links=(("/", "All endpoints"),),
        )


def _strange_form() -> Problem:
    return Problem(
        code="strange-form",
        summary="nothing was changed: the form did not come from a page of this session",
        detail="The server was restarted, or you signed in or out since the page was loaded.",
        hint="go back, reload the page and try again",
    )


def _read_only() -> Problem:
    return Problem(
        code="read-only",
        summary="nothing was changed: this browser may only read",
        hint="sign in with a token that may write",
    )


async def show_static(_pages: Pages, request: Request, _session: Session) -> Response:
    """Answer with the style sheet or the script."""
    return static_file(request.path_params["name"])
