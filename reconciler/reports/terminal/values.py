"""Values on one line, as plans show them."""

from __future__ import annotations

from typing import Final

from reconciler.model.encoding import json_line
from reconciler.model.plan import FieldChange
from reconciler.model.secrets import MASK, Sealed, Secret, mask
from reconciler.model.values import SCALAR_TYPES, Absent, Path, Value
from reconciler.reports.terminal.escape import plain

EMPTY: Final = "(empty)"
"""Shown for an empty secret, and for an empty value that was or becomes a secret."""


def shown(value: Value | Absent) -> str:
    """Return a value as escaped JSON with secrets masked; a missing value is `(none)`."""
    return plain(_json(value))


def _json(value: Value | Absent) -> str:
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
    before, after = (
        EMPTY if value == "" and field.sensitive else shown(value) for value in (field.before, field.after)
    )
    return before, after


def dotted_path(path: Path) -> str:
    """Return a path with dots, escaped: the key of an environment variable can be any text."""
    return plain(".".join(path))


__all__ = ["before_and_after", "dotted_path", "plain", "shown"]
