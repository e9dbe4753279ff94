"""Conversion of texts without files."""

from collections.abc import Iterator
from typing import Any

from reconciler.convert.draft import Conversion, Folder, draft
from reconciler.convert.formats import FORMATS
from reconciler.convert.notes import Note
from reconciler.convert.source import Origin
from reconciler.workflow.converter.checks import why_invalid
from reconciler.yamlfile.document import Document, Source
from reconciler.yamlfile.reader import parse


def converted(text: str, format_name: str, folder: Folder | None = None) -> tuple[Conversion, list[Note]]:
    """Return the conversion of one document, and all its notes."""
    if format_name == "runpod-flash":
        document = Document(Source("source.py", text), None)
    else:
        document = parse(text, "source.yaml")
    assert document.problems == ()
    origin = Origin(document, stem="source")
    conversion = draft([FORMATS[format_name].convert(origin)], folder or Folder(), why_invalid)
    return conversion, [*origin.notes, *conversion.notes]


def leaves(data: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of each single value."""
    if isinstance(data, dict | list) and data:
        for step, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from leaves(value, (*at, step))
    else:
        yield at


def without(data: Any, path: tuple[str | int, ...]) -> Any:
    """Return a copy without the value at a path."""
    head, *rest = path
    if isinstance(data, dict):
        return {
            key: without(value, tuple(rest)) if key == head else value
            for key, value in data.items()
            if rest or key != head
        }
    return [
        without(value, tuple(rest)) if index == head else value
        for index, value in enumerate(data)
        if rest or index != head
    ]


def paths_of(data: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of each value, also of mappings and lists."""
    yield at
    if isinstance(data, dict | list):
        for step, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from paths_of(value, (*at, step))


def replaced(data: Any, path: tuple[str | int, ...], odd: Any) -> Any:
    """Return a copy with another value at a path."""
    if not path:
        return odd
    head, *rest = path
    if isinstance(data, dict):
        return {
            key: replaced(value, tuple(rest), odd) if key == head else value for key, value in data.items()
        }
    return [replaced(value, tuple(rest), odd) if index == head else value for index, value in enumerate(data)]
