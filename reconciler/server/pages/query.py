"""The filter and the order of the rows, as the query of the URL has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from reconciler.model.lazy_dataclass import dataclass
from reconciler.server.pages.rows import Row

_NEVER: Final = datetime.min.replace(tzinfo=UTC)

_KEYS: Final[Mapping[str, Callable[[Row], Any]]] = {
    "name": lambda row: row.name,
    "state": lambda row: (("bad", "busy", "good", "quiet").index(row.tone), row.state),
    "workers": lambda row: (-row.ready, -row.high),
    "differences": lambda row: (not row.has_drift, -len(row.differences), not row.action),
    "age": lambda row: -(row.created_at or _NEVER).timestamp() if row.created_at else float("inf"),
    "change": lambda row: -row.changed_at.timestamp() if row.changed_at else float("inf"),
}

SORTS: Final = tuple(_KEYS)
"""The columns by which the rows can be sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """text: a part of the name, the image or the URL. state: a status or "". show: all, differs or drift.

    managed: a kind of management or "". sort: one of SORTS; is_reversed: in the opposite order.
    """

    text: str = ""
    state: str = ""
    show: str = ""
    managed: str = ""
    sort: str = "name"
    is_reversed: bool = False

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Query:
        """Return the query of a URL; unknown words mean the default."""
        sort = parameters.get("sort", "name")
        return cls(
            text=parameters.get("q", "").strip()[:100],
            state=parameters.get("state", "")[:20],
            show=parameters.get("show", "")[:20],
            managed=parameters.get("managed", "")[:20],
            sort=sort if sort in SORTS else "name",
            is_reversed=parameters.get("dir") == "desc",
        )

    @property
    def is_filtered(self) -> bool:
        return bool(self.text or self.state or self.show or self.managed)

    def select(self, rows: Iterable[Row]) -> list[Row]:
        """Return the rows that match, in order."""
        found = sorted(filter(self._matches, rows), key=lambda row: (row.name, row.key))
        return sorted(found, key=_KEYS[self.sort], reverse=self.is_reversed)

    def url(self, **changes: Any) -> str:
        """Return the URL of the table with these changes of the query."""
        changed = replace(self, **changes)
        pairs = {
            "q": changed.text,
            "state": changed.state,
            "show": changed.show,
            "managed": changed.managed,
            "sort": "" if changed.sort == "name" else changed.sort,
            "dir": "desc" if changed.is_reversed else "",
        }
        query = urlencode({name: value for name, value in pairs.items() if value})
        return f"/?{query}" if query else "/"

    def sorted_by(self, column: str) -> str:
        """Return the URL that sorts by a column, or in the opposite order if it does already."""
        return self.url(sort=column, is_reversed=self.sort == column and not self.is_reversed)

    def _matches(self, row: Row) -> bool:
        text = self.text.casefold()
        is_shown = {"differs": bool(row.action), "drift": row.has_drift}.get(self.show, True)
        return (
            is_shown
            and (not self.state or row.state == self.state)
            and (not self.managed or row.managed == self.managed)
            and any(text in part.casefold() for part in (row.name, row.key, row.image, row.url))
        )
