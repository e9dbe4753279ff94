"""A null that has nothing to remove: a value was left out by mistake, and what to write in its stead."""

from __future__ import annotations

import re

from reconciler.config import schema
from reconciler.config.overlays import Null
from reconciler.config.vocabulary import HINTS, spelled
from reconciler.model.problem import Problem
from reconciler.model.values import DataPath
from reconciler.yamlfile.emitter import flow


def left_empty(null: Null) -> Problem | None:
    """The problem; None where the null does no harm."""
    if schema.field_at(null.path[:1]).get("deprecated") or str(null.path[0]).startswith("x-"):
        return None  # never sent, or no field at all
    if null.is_merged_over:
        return None
    return Problem(
        code="empty-value",
        summary=f"`{spelled(null.path)}` is left empty, and there is nothing below it that null could remove",
        hint=_hint(null.path),
        place=null.place,
    )


def _hint(path: DataPath) -> str:
    name = path[-1]
    if isinstance(name, int):
        return "write a value, or remove the item"
    if path[0] == "env" and len(path) == 2:
        variable = re.sub(r"\W", "_", name.upper(), flags=re.ASCII)
        return (
            f'write `{name}: ""` for an empty text, `{name}: "${{env:{variable}}}"` to take it from the '
            f"environment, or remove the line"
        )
    field = schema.field_at(path)
    if "default" in field:
        return f"write `{name}: {flow(field['default'])}`, the default, or another value; or remove the line"
    if field.get("minLength") == 0:
        return f'write `{name}: ""` for none, or a value; or remove the line'
    return HINTS.get(name, f"write a value, such as `{name}: {flow(_example(field))}`, or remove the line")


def _example(field: dict[str, object]) -> object:
    examples = field.get("examples")
    return examples[0] if isinstance(examples, list) and examples else "..."
