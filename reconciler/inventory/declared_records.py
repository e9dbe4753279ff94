"""Records whose fields are written as they would be written now: most records, in most runs.

To write the declared fields as JSON and to compare texts takes a fifth of the time that it takes to parse and
to check the record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from reconciler.model.encoding import json_indented
from reconciler.model.values import Fields, Json

MIN_SIZE: Final = 1 << 16
"""Characters of a map. In a shorter one the comparison saves nothing."""

_RECORD: Final = '\n    "'
"""What precedes the name of a record in a map as it is written."""

_FIELDS: Final = '\n      "applied": '
"""What precedes the fields of a record."""

_MARK: Final = "as declared: "
"""Stands for fields that are not parsed, with their index."""


def loads_sharing(text: str, declared: Mapping[str, Fields], loads: Callable[[str], Json]) -> Json:
    """Return `loads(text)` of a map. Records with fields equal to the declared ones have these themselves.

    declared: the fields of each endpoint, by name.
    """
    if len(text) < MIN_SIZE or f'"{_MARK}' in text:
        return loads(text)
    shortened, shared = _with_marks(text, declared)
    if shared:
        with suppress(ValueError, RecursionError):  # the whole text says where it is wrong
            document = loads(shortened)
            if _replace_marks(document, shared) == len(shared):
                return document
    return loads(text)


def _with_marks(text: str, declared: Mapping[str, Fields]) -> tuple[str, list[Fields]]:
    """Return the text with marks in place of fields, and these fields.

    What is replaced begins with a newline, which no JSON string has, and is a whole value. So the text means
    the same if its marks are replaced by the fields.
    """
    parts = text.split(_RECORD)
    shared: list[Fields] = []
    for number, part in enumerate(parts):
        fields = declared.get(part[: part.find('"')], {})
        written, start = _written(fields), part.find(_FIELDS)
        if written and part.startswith(written, start):
            mark = f'{_FIELDS}"{_MARK}{len(shared)}"'
            parts[number] = f"{part[:start]}{mark}{part[start + len(written) :]}"
            shared.append(fields)
    return _RECORD.join(parts), shared


def _written(fields: Fields) -> str:
    """Return the fields as a record has them; "" for none, and if they hold a secret or a reference."""
    if not fields:
        return ""
    try:
        document = json_indented({"": {"": {"applied": fields}}}, sort_keys=True)
    except TypeError:
        return ""
    return document[len('{\n  "": {\n    "": {') : -len("\n    }\n  }\n}")]


def _replace_marks(document: Json, shared: list[Fields]) -> int:
    """Replace the marks of records by the fields, and return how many were found."""
    count = 0
    endpoints: Any = document.get("endpoints") if isinstance(document, dict) else None
    for record in endpoints.values() if isinstance(endpoints, dict) else ():
        applied = record.get("applied") if isinstance(record, dict) else None
        if isinstance(applied, str) and applied.startswith(_MARK):
            record["applied"] = shared[int(applied.removeprefix(_MARK))]
            count += 1
    return count
