"""Values on one line, as plans show them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reconciler.kinds.registry import KINDS
from reconciler.model.encoding import json_line
from reconciler.model.plan import FieldChange
from reconciler.model.secrets import MASK, Sealed, Secret, mask
from reconciler.model.values import (
    SCALAR_TYPES,
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
    if has_reference(value):
        text = _json(replace_references(value, str))
        return text if isinstance(value, list | dict) else UNKNOWN_TEXT
    if value.__class__ in SCALAR_TYPES:
        return json_line(value)
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
    return _value_of(field, field.before), _value_of(field, field.after)


def _value_of(field: FieldChange, value: Value | Absent) -> str:
    if value == "" and field.sensitive:
        return EMPTY
    return shown(KINDS[field.kind].table.value_shown(field.path, value))


def in_reading_order(fields: Iterable[FieldChange]) -> list[FieldChange]:
    """Return the fields in the order in which people write them in YAML."""
    return sorted(fields, key=lambda field: KINDS[field.kind].table.reading_rank(field.path))


def field_name(field: FieldChange) -> str:
    """Return the name of a field in the YAML, escaped: the key of an environment variable can be any text."""
    return plain(KINDS[field.kind].table.label(field.path))


__all__ = ["before_and_after", "field_name", "in_reading_order", "plain", "shown"]
