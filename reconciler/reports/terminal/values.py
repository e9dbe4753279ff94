"""Values on one line, as plans show them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reconciler.kinds.registry import KINDS
from reconciler.model.encoding import json_line
from reconciler.model.plan import FieldChange
from reconciler.model.secrets import MASK, Sealed, Secret, mask
from reconciler.model.values import (
    JSON_SCALARS,
    UNKNOWN_TEXT,
    Absent,
    Value,
    has_reference,
    replace_references,
)
from reconciler.reports.terminal.escape import plain

EMPTY: Final = "(empty)"
"""Shown for an empty secret, and for an empty value that was or becomes a secret."""


def shown(value: Value | Absent) -> str:
    """Return a value as escaped JSON with secrets masked; a missing value is `(none)`."""
    return plain(_json(value))


def _json(value: Value | Absent) -> str:
    if value.__class__ in JSON_SCALARS:
        return json_line(value)
    if has_reference(value):
        text = _json(replace_references(value, str))
        return text if isinstance(value, list | dict) else UNKNOWN_TEXT
    match value:
        case Absent():
            return "(none)"
        case Sealed():
            return MASK
        case Secret(value=""):
            return EMPTY
        case Secret():
            return MASK if value.masked == MASK else json_line(value.masked)
        case _:
            return json_line(mask(value))


def before_and_after(field: FieldChange) -> tuple[str, str]:
    """Return the values of a field before and after a change, each on one line."""
    return value_of_field(field, field.before), value_of_field(field, field.after)


def value_of_field(field: FieldChange, value: Value | Absent) -> str:
    """Return one of the two values of a field, on one line."""
    if value == "" and field.sensitive:
        return EMPTY
    return shown(KINDS[field.kind].table.value_shown(field.path, value))


def in_reading_order(fields: Iterable[FieldChange]) -> list[FieldChange]:
    """Return the fields in the order in which people write them in YAML."""
    return sorted(fields, key=lambda field: KINDS[field.kind].table.reading_rank(field.path))


def field_name(field: FieldChange) -> str:
    """Return the name of a field in the YAML, escaped: the key of an environment variable can be any text."""
    return plain(KINDS[field.kind].table.label(field.path))


__all__ = ["before_and_after", "field_name", "in_reading_order", "plain", "shown", "value_of_field"]
