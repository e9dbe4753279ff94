"""One value on one line, as plans show it."""

from __future__ import annotations

from typing import Final

from reconciler.model.encoding import json_line
from reconciler.model.plan import FieldChange
from reconciler.model.secrets import MASK, Sealed, Secret, mask
from reconciler.model.values import SCALAR_TYPES, Absent, Path, Value
from reconciler.reports.terminal.escape import plain

EMPTY: Final = "(empty)"
"""What stands for a secret, or beside one, that is the empty text."""


def shown(value: Value | Absent) -> str:
    """JSON, harmless and with secrets masked; a missing value reads `(none)`."""
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
    """(what it was, what it will be), each on one line; beside a secret, empty text reads `(empty)`."""
    before, after = (
        EMPTY if value == "" and field.sensitive else shown(value) for value in (field.before, field.after)
    )
    return before, after


def dotted_path(path: Path) -> str:
    """A wire path as people write it, harmless: the key of an env is whatever somebody chose."""
    return plain(".".join(path))


__all__ = ["before_and_after", "dotted_path", "plain", "shown"]
