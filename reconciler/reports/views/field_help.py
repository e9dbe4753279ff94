"""The explanation of a field of the files as text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

from reconciler.model.encoding import json_line
from reconciler.model.values import Json
from reconciler.reports.terminal.style import PLAIN, Style

WIDTH: Final = 80
"""Columns."""


class FieldHelp(Protocol):
    """The shown parts of an explanation."""

    @property
    def path(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def values(self) -> Sequence[str]: ...
    @property
    def default(self) -> Json: ...
    @property
    def is_required(self) -> bool: ...
    @property
    def examples(self) -> Sequence[Json]: ...
    @property
    def wire_paths(self) -> Sequence[str]: ...
    @property
    def fields(self) -> Sequence[tuple[str, str, str]]: ...


def field_help_text(found: FieldHelp, style: Style = PLAIN) -> str:
    """Return the explanation, ending in a newline."""
    return "".join(f"{line}\n" for line in _lines(found, style))


def field_help_document(found: FieldHelp) -> dict[str, Json]:
    """Return the document of `explain --json`."""
    return {
        "path": found.path,
        "title": found.title,
        "type": found.type,
        "description": found.description,
        "values": list(found.values),
        "default": found.default,
        "required": found.is_required,
        "examples": list(found.examples),
        "wire_paths": list(found.wire_paths),
        "fields": [{"name": name, "type": kind, "description": text} for name, kind, text in found.fields],
    }


def _lines(found: FieldHelp, style: Style) -> Iterator[str]:
    yield f"{style.bold(found.path)}  <{found.type}>"
    yield ""
    yield from textwrap.wrap(found.description, WIDTH)
    facts = [
        ("required", "yes" if found.is_required else ""),
        ("values", ", ".join(found.values)),
        ("default", "" if found.default is None else json_line(found.default)),
        ("wire path", ", ".join(found.wire_paths)),
    ]
    if any(text for _, text in facts):
        yield ""
    for word, text in facts:
        if text:
            yield from _indented(f"{word + ':':<11}", text)
    if found.examples:
        yield from ("", style.bold("Example:"))
        yield from _example(found.path.rpartition(".")[2], found.examples[0])
    if found.fields:
        yield from ("", style.bold("Fields:"))
        width = max(len(f"{name} <{kind}>") for name, kind, _ in found.fields)
        for name, kind, text in found.fields:
            yield from _indented(f"  {f'{name} <{kind}>':<{width}}  ", text, short=True)


def _indented(start: str, text: str, *, short: bool = False) -> Iterator[str]:
    """Yield a text that is wrapped beside its start, or shortened to one line."""
    room = max(WIDTH - len(start), 24)
    lines = [textwrap.shorten(text, room, placeholder="...")] if short else textwrap.wrap(text, room)
    for number, line in enumerate(lines):
        yield (start if number == 0 else " " * len(start)) + line


def _example(name: str, value: Any) -> Iterator[str]:
    """Yield an example as YAML in the flow style, in which JSON is valid."""
    match value:
        case dict() | list() if value:
            yield f"  {name}:"
            items = value.items() if isinstance(value, dict) else ((None, item) for item in value)
            for key, item in items:
                yield f"    {f'{key}:' if key is not None else '-'} {json_line(item)}"
        case _:
            yield f"  {name}: {json_line(value)}"
