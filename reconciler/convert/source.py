"""Reads mappings of a foreign document, and keeps track of the keys that were read.

What nobody reads is left out with a note, so that no key is dropped without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from reconciler.convert.notes import Note, Outcome
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place, Severity
from reconciler.model.values import DataPath
from reconciler.yamlfile.document import Document

UNKNOWN_FIELD: Final = "endpoints of Novita have no such field"

_DIGITS: Final = re.compile(r"[0-9]{1,10}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A value of the source, with the path and the place of its field."""

    value: Any
    field: str
    place: Place


class Origin:
    """One document of a file. `first_line` is the number of the lines above it; `notes` are collected."""

    def __init__(self, document: Document, first_line: int = 0, *, stem: str = "") -> None:
        self.notes: list[Note] = []
        self.stem = stem
        self._document = document
        self._first_line = first_line

    @property
    def data(self) -> Any:
        return self._document.data

    @property
    def file(self) -> str:
        return self._document.file

    @property
    def text(self) -> str:
        return self._document.source.text

    def place(self, path: DataPath = (), *, key: bool = False) -> Place:
        """Return the place of a value or of its key, without the text of the line, which may hold secrets."""
        place = self._document.place(path, key=key) or self._document.place(path[:-1])
        place = place or Place(file=self._document.file, line=1, column=1)
        return replace(place, line=place.line + self._first_line, text="", width=1)

    def written(self, path: DataPath) -> str | None:
        """Return a scalar as it is written, such as 1.10, which YAML reads as the number 1.1."""
        node = self._document.node(path)
        return node.value if node is not None and isinstance(node.value, str) else None

    def note(self, path: DataPath, outcome: Outcome, reason: str, severity: Severity) -> None:
        place = self.place(path, key=bool(path) and isinstance(path[-1], str))
        self.notes.append(
            Note(field=dotted(path), outcome=outcome, reason=reason, severity=severity, place=place)
        )


class Section:
    """One mapping of a document."""

    def __init__(self, origin: Origin, path: DataPath, data: Mapping[str, Any]) -> None:
        self.origin = origin
        self.path = path
        self.data = data
        self._unread = {key: None for key, value in data.items() if value is not None}

    def has(self, key: str) -> bool:
        return self.data.get(key) is not None

    def at(self, key: str) -> DataPath:
        return (*self.path, key)

    def found(self, key: str, value: Any) -> Found:
        """Return a value that was made of that of a key."""
        path = self.at(key)
        return Found(value=value, field=dotted(path), place=self.origin.place(path))

    def take(self, key: str) -> Any:
        """Return a value as it is, or None; it counts as read."""
        self._unread.pop(key, None)
        return self.data.get(key)

    def text(self, key: str) -> Found | None:
        """Return a text; a number or a truth value is taken as it is written."""
        value = self.take(key)
        if isinstance(value, str):
            return self.found(key, value)
        if isinstance(value, bool | int | float):
            return self.found(key, self.origin.written(self.at(key)) or str(value))
        if value is not None:
            self.leave(key, "it is not a text")
        return None

    def count(self, key: str, least: int = 0) -> Found | None:
        """Return a whole number of at least `least`, also one that is written as text."""
        value = self.take(key)
        if isinstance(value, str) and _DIGITS.match(value):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return self.found(key, value)
        if value is not None:
            self.leave(key, f"it is not a whole number of at least {least}")
        return None

    def section(self, key: str) -> Section | None:
        """Return the mapping below a key."""
        value = self.take(key)
        if isinstance(value, Mapping):
            return Section(self.origin, self.at(key), value)
        if value is not None:
            self.leave(key, "it is not a mapping")
        return None

    def items(self, key: str) -> Iterator[tuple[DataPath, Any]]:
        """Yield the items of a list with their paths; a single value counts as a list of one."""
        value = self.take(key)
        if isinstance(value, list):
            yield from (((*self.at(key), index), item) for index, item in enumerate(value))
        elif value is not None:
            yield self.at(key), value

    def leave(self, key: str, reason: str, severity: Severity = Severity.WARNING) -> None:
        """Note that a key is left out."""
        if self.has(key):
            self._unread.pop(key, None)
            self.origin.note(self.at(key), Outcome.LEFT_OUT, reason, severity)

    def leave_unread(self, key: str, reason: str, severity: Severity) -> None:
        """Note that a key is left out, unless it was read."""
        if key in self._unread:
            self.leave(key, reason, severity)

    def change(self, key: str, reason: str, severity: Severity = Severity.NOTE) -> None:
        """Note that the value of a key was changed."""
        self.origin.note(self.at(key), Outcome.CHANGED, reason, severity)

    def leave_rest(self, reasons: Mapping[str, str], other: str = UNKNOWN_FIELD) -> None:
        """Note that all keys that were not read are left out; `x-` keys are comments of their authors."""
        for key in list(self._unread):
            self.leave(key, reasons.get(key, other))


def dotted(path: Iterable[str | int]) -> str:
    """Return a path as users read it; the document itself is `(document)`."""
    return ".".join(map(str, path)) or "(document)"
