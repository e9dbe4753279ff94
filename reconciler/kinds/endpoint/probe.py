"""The mapping of a declared probe. It is never sent to Novita."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reconciler.model import durations
from reconciler.model.json_path import parse_json_path
from reconciler.model.probe import Expectation, Probe
from reconciler.model.problem import Place, Problem
from reconciler.model.request import climbs, header_fault
from reconciler.model.secrets import reveal
from reconciler.model.values import Path

DEFAULT_HEALTH_PATH = "/health"


def probe_of(declared: Mapping[str, Any]) -> Probe:
    """Return the probe that an item declares. Its path is the health path by default."""
    given = declared["probe"]
    body, expect = given.get("body"), given.get("expect") or {}
    return Probe(
        path=given.get("path") or declared.get("healthPath") or DEFAULT_HEALTH_PATH,
        method=given.get("method") or ("GET" if body is None else "POST"),
        headers=given.get("headers") or {},
        body=body,
        expect=Expectation(
            status=expect.get("status"),
            contains=expect.get("contains") or "",
            json_path=expect.get("jsonpath") or "",
        ),
        timeout=given.get("timeout") or durations.PROBE_TIMEOUT,
    )


def probe_problems(declared: Mapping[str, Any], locate: Callable[[Path], Place | None]) -> Iterator[Problem]:
    """Yield the problems of a probe that the schema cannot find."""
    given = declared["probe"]
    path = (given.get("expect") or {}).get("jsonpath")
    if path is not None:
        try:
            parse_json_path(path)
        except ValueError as error:
            yield Problem(
                code="bad-json-path",
                summary=f"`probe.expect.jsonpath` is not a path: {error}",
                hint="write names and indexes, such as $.choices[0].message.content",
                place=locate(("probe", "expect", "jsonpath")),
            )
    if climbs(str(reveal(given.get("path") or ""))):
        yield Problem(
            code="bad-path",
            summary="`probe.path` has a segment `..`, which may leave the URL of the endpoint",
            place=locate(("probe", "path")),
        )
    for name, value in (given.get("headers") or {}).items():
        if fault := header_fault(name, str(reveal(value))):
            yield Problem(
                code="bad-header",
                summary=f"the header {name[:80]!r} of `probe` {fault}",
                place=locate(("probe", "headers", name)),
            )
