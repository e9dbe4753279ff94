"""The state of an environment in the form in which the page shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlencode

from reconciler.controller.state import EndpointSync, RoundResult, SyncState, SyncStatus
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.resource import ENDPOINT
from reconciler.reports.terminal.escape import lines_of
from reconciler.server.sync.view import Shown

TONES: Final[Mapping[SyncStatus, str]] = {
    SyncStatus.BLOCKED: "bad",
    SyncStatus.PENDING: "busy",
    SyncStatus.DRIFTED: "warn",
    SyncStatus.SYNCED: "good",
}
"""The tone of each status, in the order in which the page shows them."""

_ORDER: Final = tuple(TONES)
_LINE_TONES: Final = {"+": "good", "-": "bad", "~": "warn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncQuery:
    """The filter of the endpoints, as the URL has it. path: of the page. status: one of TONES, or ""."""

    path: str
    text: str = ""
    status: str = ""

    @classmethod
    def of(cls, path: str, parameters: Mapping[str, str]) -> SyncQuery:
        """Return the filter of a URL; an unknown status means all."""
        status = parameters.get("status", "")
        text = parameters.get("q", "").strip()[:100]
        return cls(path=path, text=text, status=status if status in TONES else "")

    @property
    def is_filtered(self) -> bool:
        return bool(self.text or self.status)

    def url(self, status: str) -> str:
        """Return the URL of the page with another status."""
        pairs = {"q": self.text, "status": status}
        query = urlencode({name: value for name, value in pairs.items() if value})
        return f"{self.path}?{query}" if query else self.path

    def select(self, rows: Sequence[EndpointSync]) -> list[EndpointSync]:
        """Return the rows that match, those that need a look first."""
        text = self.text.casefold()
        found = (
            row
            for row in rows
            if (not self.status or row.status == self.status)
            and (text in row.address.casefold() or text in row.why.casefold())
        )
        return sorted(found, key=lambda row: (_ORDER.index(row.status), row.address))

    def counts(self, rows: Sequence[EndpointSync]) -> Iterator[tuple[str, int, str, str, bool]]:
        """Yield the counts above the table: words, count, URL of the filter, tone, and whether it is on."""
        for status, tone in TONES.items():
            if count := sum(row.status == status for row in rows):
                is_on = self.status == status
                yield status.value, count, self.url("" if is_on else status.value), tone, is_on


def headline(shown: Shown) -> tuple[str, str]:
    """Return the state of an environment in some words, and its tone."""
    state = shown.state
    if shown.problem is not None:
        return "Unknown", "bad"
    if state is None or state.result is None:
        return "No round yet", "quiet"
    if state.result is RoundResult.ERROR:
        return "The last round failed", "bad"
    if state.paused or state.result is RoundResult.REFUSED:
        return "Paused", "bad"
    if state.waiting is not None:
        return "A plan waits for approval", "busy"
    worst = min(
        (_ORDER.index(one.status) for one in state.endpoints), default=_ORDER.index(SyncStatus.SYNCED)
    )
    words = {
        SyncStatus.BLOCKED: "Changes are held back",
        SyncStatus.PENDING: "Changes are to come",
        SyncStatus.DRIFTED: "Drifted",
        SyncStatus.SYNCED: "In sync",
    }
    return words[_ORDER[worst]], TONES[_ORDER[worst]]


def counts_in_words(state: SyncState | None) -> str:
    """Return how many endpoints have each status, such as `1 drifted, 3 synced`."""
    rows = state.endpoints if state else ()
    counts = {status: sum(row.status == status for row in rows) for status in TONES}
    return ", ".join(f"{count:,} {status.value}" for status, count in counts.items() if count) or "none"


def plan_lines(text: str) -> list[tuple[str, str]]:
    """Return the lines of a plan, each with its tone, "" for most."""
    return [(_LINE_TONES.get(line.lstrip()[:1], ""), line) for line in lines_of(text)]


def name_and_page(address: str) -> tuple[str, str]:
    """Return how the page calls a resource, and the path of its page; "" unless it is an endpoint."""
    kind, _, name = address.partition(".")
    return (name, f"/endpoints/{quote(name, safe='')}") if kind == ENDPOINT else (address, "")


def sync_path(environment: str, *, is_only: bool) -> str:
    """Return the path of the page of an environment; the only one has the short path."""
    return "/sync" if is_only else f"/environments/{quote(environment, safe='')}"
