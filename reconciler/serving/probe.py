"""Sends a probe, and judges the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from reconciler.apply.clock import Clock
from reconciler.model.encoding import json_line
from reconciler.model.errors import NotCalled
from reconciler.model.json_path import parse_json_path, value_at
from reconciler.model.probe import Expectation, Probe, ProbeResult
from reconciler.model.secrets import Secret, mask, reveal
from reconciler.serving.exchange import EndpointConnection, Workers, send_when_ready
from reconciler.serving.request import MAX_DOCUMENT, EndpointRequest, content_type

MAX_SHOWN: Final = 200
"""Characters of a body that a message quotes."""


def send_probe(
    connection: EndpointConnection,
    probe: Probe,
    read_workers: Callable[[], Workers],
    clock: Clock,
    on_wait: Callable[[str], None] = lambda _why: None,
) -> ProbeResult:
    """Send a probe, wait out a cold start, and return whether the answer is as expected."""
    request = probe_request(probe)
    shown = f"{probe.method} {_shown(probe.path)}"
    expected = describe(probe.expect)
    start, status = clock.now(), None
    try:
        with send_when_ready(
            connection,
            request,
            read_workers,
            clock,
            within=probe.timeout,
            on_wait=on_wait,
            max_size=MAX_DOCUMENT,
        ) as answer:
            status, body = answer.status, b"".join(answer.pieces)
        got = mismatch(probe.expect, status, body)
    except NotCalled as error:
        got = error.problem.summary
    return ProbeResult(
        request=shown,
        passed=not got,
        expected=expected,
        got=got,
        status=status,
        seconds=clock.now() - start,
        reason=read_workers().failure if got else "",
    )


def probe_request(probe: Probe) -> EndpointRequest:
    """Return the request of a probe, with its secrets in clear text."""
    value = reveal(probe.body)
    if value is None:
        body = b""
    elif isinstance(value, str):
        body = value.encode()
    else:
        body = json_line(value).encode()
    headers = {name: str(reveal(value)) for name, value in probe.headers.items()}
    if body and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = content_type(body)
    return EndpointRequest(method=probe.method, path=str(reveal(probe.path)), headers=headers, body=body)


def describe(expect: Expectation) -> str:
    """Return what is expected, as a clause."""
    parts = [f"status {expect.status}" if expect.status else "a status from 200 to 299"]
    if expect.json_path:
        parts.append(f"a value at {expect.json_path}")
    if expect.contains:
        parts.append(f"the text {_shown(expect.contains)!r}" + (" in it" if expect.json_path else ""))
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def mismatch(expect: Expectation, status: int, body: bytes) -> str:
    """Return what is not as expected, as a clause with the beginning of the body, or ""."""
    if status != expect.status and (expect.status or not 200 <= status < 300):
        return f"status {status}" + _quoted(body)
    text = body.decode(errors="replace")
    if expect.json_path:
        try:
            found = value_at(json.loads(body), parse_json_path(expect.json_path))
        except (ValueError, RecursionError):
            return "a body that is not JSON" + _quoted(body)
        except LookupError:
            return f"no value at {expect.json_path}" + _quoted(body)
        text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    if str(reveal(expect.contains)) not in text:
        where = f"a value at {expect.json_path}" if expect.json_path else "a body"
        return f"{where} without that text" + _quoted(text.encode())
    return ""


def _shown(text: str | Secret) -> str:
    return str(mask(text))


def _quoted(body: bytes) -> str:
    text = body.decode(errors="replace").strip()
    more = "..." if len(text) > MAX_SHOWN else ""
    return f": {text[:MAX_SHOWN]}{more}" if text else ", without a body"
