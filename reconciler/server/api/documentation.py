"""Handlers of the OpenAPI document and of a page that shows it, without any request to another host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from reconciler.server.responses import json_response

_STYLE: Final = """\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: .5rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
details { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: .4rem 0; }
summary { cursor: pointer; }
td, th { text-align: left; padding: .1rem 1rem .1rem 0; vertical-align: top; }
"""


async def openapi(request: Request) -> Response:
    """Answer with the OpenAPI document."""
    return json_response(request.app.state.openapi)


async def page(request: Request) -> Response:
    """Answer with the OpenAPI document as a page."""
    return HTMLResponse("".join(_page(request.app.state.openapi)))


async def style(_request: Request) -> Response:
    """Answer with the style of the page."""
    return Response(_STYLE, media_type="text/css")


def _page(document: Mapping[str, Any]) -> Iterator[str]:
    info = document["info"]
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f'<title>{escape(info["title"])}</title><link rel="stylesheet" href="/docs.css"></head><body><main>'
    yield f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info['description'])}</p>"
    yield '<p><a href="/openapi.json">The OpenAPI document</a></p><h2>Operations</h2>'
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield from _operation(method, path, operation)
    yield "<h2>Shapes</h2>"
    for name, schema in document["components"]["schemas"].items():
        yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        yield from _schema(schema)
        yield "</details>"
    yield "</main></body></html>"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<details><summary><code>{method.upper()} {escape(path)}</code> "
    yield f"{escape(operation['summary'])}</summary><table>"
    for parameter in operation.get("parameters", ()):
        yield f"<tr><th>{escape(parameter['in'])} <code>{escape(parameter['name'])}</code></th>"
        yield f"<td>{escape(parameter.get('description', ''))}</td></tr>"
    if body := operation.get("requestBody"):
        yield f"<tr><th>body</th><td>{_reference(body)}</td></tr>"
    for status, answer in operation["responses"].items():
        yield f"<tr><th>{status}</th><td>{escape(answer['description'])} {_reference(answer)}</td></tr>"
    yield "</table></details>"


def _reference(part: Mapping[str, Any]) -> str:
    for media in part.get("content", {}).values():
        name = media["schema"].get("$ref", "").rpartition("/")[2]
        if name:
            return f'<a href="#{escape(name)}"><code>{escape(name)}</code></a>'
    return ""


def _schema(schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"<p>{escape(schema.get('description', ''))}</p><table>"
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        kind = field.get("type", "")
        text = " or ".join(kind) if isinstance(kind, list) else kind
        needed = ", required" if name in required else ""
        yield f"<tr><th><code>{escape(name)}</code></th><td>{escape(text)}{needed}</td>"
        yield f"<td>{escape(field.get('description', ''))}</td></tr>"
    yield "</table>"
