"""Signing in: a token is typed once, and the browser keeps the cookie of a session."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reconciler.server.pages.pages import Form, Pages
from reconciler.server.pages.rendering import render
from reconciler.server.pages.sessions import Session


async def show_sign_in(pages: Pages, request: Request, session: Session) -> Response:
    """Answer with the form for a token."""
    return _form(pages, session, request.query_params.get("next", "/"))


async def sign_in(pages: Pages, request: Request, session: Session, form: Form) -> Response:
    """Begin a session, and go on to the page that was asked for."""
    answer = RedirectResponse(_own_path(form.get("next", "/")), status_code=303)
    if pages.sessions.sign_in(request, answer, form.get("token", "")):
        return answer
    return _form(pages, session, form.get("next", "/"), problem="The server does not know this token.")


async def sign_out(pages: Pages, request: Request, _session: Session, _form: Form) -> Response:
    """End the session."""
    answer = RedirectResponse("/", status_code=303)
    pages.sessions.sign_out(request, answer)
    return answer


def _form(pages: Pages, session: Session, target: str, problem: str = "") -> Response:
    return render(
        "sign_in.html",
        status=403 if problem else 200,
        session=session,
        place="/sign-in",
        next=_own_path(target),
        problem=problem,
        has_tokens=bool(pages.service.settings.tokens),
    )


def _own_path(target: str) -> str:
    """Return a path of this server: `//host` and `/\\host` would lead to another one."""
    is_own = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if is_own and target != "/sign-in" else "/"
