"""One value on one line, as plans show it."""

from __future__ import annotations

from reconciler.model.encoding import one_line
from reconciler.model.plan import Absent
from reconciler.model.values import MASK, WORDS, Path, Sealed, Secret, Value, mask
from reconciler.render.plain import plain


def shown(value: Value | Absent) -> str:
    """JSON, with secrets masked; a missing value reads `(none)`."""
    if value.__class__ in WORDS:
        return one_line(value)
    match value:
        case Absent():
            return "(none)"
        case Sealed():
            return MASK
        case Secret():
            return MASK if value.masked == MASK else one_line(value.masked)
        case _:
            return one_line(mask(value))


def dotted(path: Path) -> str:
    """A wire path as people write it."""
    return ".".join(path)


__all__ = ["dotted", "plain", "shown"]
