"""The results of `probe`, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from reconciler.model.probe import ProbeResult
from reconciler.model.values import Json
from reconciler.reports.run.json_plan import probe_document
from reconciler.reports.terminal.escape import plain
from reconciler.reports.terminal.style import PLAIN, Style


class Probed(Protocol):
    """An endpoint and the result of its probe."""

    @property
    def name(self) -> str: ...

    @property
    def id(self) -> str: ...

    @property
    def url(self) -> str: ...

    @property
    def probe(self) -> ProbeResult: ...


def probes_text(results: Iterable[Probed], style: Style = PLAIN) -> str:
    """Return one line for each endpoint, and below it what is not as expected."""
    lines: list[str] = []
    for result in results:
        probe = result.probe
        word = style.added("passed") if probe.passed else style.error("failed")
        lines.append(f"{plain(result.name)}: {word}: {plain(probe.request)} after {probe.seconds:.1f} s")
        if not probe.passed:
            lines.append(f"  expected {plain(probe.expected)}")
            lines.append(f"  got {plain(probe.got)}")
            lines += [f"  workers: {plain(probe.reason)}"] if probe.reason else []
    return "\n".join(lines) + "\n"


def probes_document(results: Iterable[Probed]) -> list[Json]:
    """Return the results as JSON."""
    return [
        {
            "name": result.name,
            "id": result.id or None,
            "url": result.url or None,
            **probe_document(result.probe),
        }
        for result in results
    ]
