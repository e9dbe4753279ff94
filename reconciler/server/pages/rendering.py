"""Templates and static files of the pages."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from reconciler import __version__
from reconciler.reports.html.page import STYLES
from reconciler.reports.terminal.escape import plain

_TYPES: Final[Mapping[str, str]] = {
    "colors.css": "text/css",
    "report.css": "text/css",
    "page.css": "text/css",
    "page.js": "text/javascript",
}

_UNITS: Final = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def ago(moment: datetime | None) -> str:
    """Return the time since a moment in one unit, such as `3 h`; "" if it is unknown."""
    if moment is None:
        return ""
    seconds = max(0, int((datetime.now(UTC) - moment).total_seconds()))
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= size), _UNITS[-1])
    return f"{seconds // size} {unit}"


def _read(name: str) -> bytes:
    if name in STYLES:
        return files("reconciler.reports.html").joinpath(name).read_bytes()
    return files("reconciler.server.pages").joinpath("static", name).read_bytes()


def static_url(name: str) -> str:
    """Return the URL of a static file, which changes with its content."""
    return f"/static/{name}?v={_digests()[name]}"


def _digests() -> Mapping[str, str]:
    if not _DIGESTS:
        _DIGESTS.update({name: hashlib.sha256(_read(name)).hexdigest()[:12] for name in _TYPES})
    return _DIGESTS


_DIGESTS: Final[dict[str, str]] = {}

_TEMPLATES: Final = Environment(
    loader=PackageLoader("reconciler.server.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(ago=ago, plain=plain)
_TEMPLATES.globals.update(static_url=static_url, version=__version__)


def template_text(template: str, **values: Any) -> str:
    """Return a template with these values, which are escaped."""
    return _TEMPLATES.get_template(template).render(**values)


def render(template: str, *, status: int = 200, **values: Any) -> Response:
    """Return a page.

    Its forms send an Origin header, which browsers make `null` for a page that sends no referrer at all.
    """
    return HTMLResponse(
        template_text(template, **values), status_code=status, headers={"Referrer-Policy": "same-origin"}
    )


def static_file(name: str) -> Response:
    """Return the response with a style sheet or the script."""
    if name not in _TYPES:
        return Response("404 page not found", status_code=404, media_type="text/plain")
    headers = {"Cache-Control": "max-age=31536000, immutable"}
    return Response(_read(name), media_type=_TYPES[name], headers=headers)
