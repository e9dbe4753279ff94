"""Problems of nulls that remove nothing, which are mostly forgotten values."""

from __future__ import annotations

import re

from reconciler.config import schema
from reconciler.config.overlays import UnusedNull
from reconciler.config.vocabulary import HINTS, path_text
from reconciler.model.problem import Problem
from reconciler.model.values import DataPath
from reconciler.yamlfile.emitter import to_flow


def empty_value_problem(null: UnusedNull) -> Problem | None:
    """Return the problem of a null, or None if the null is harmless."""
    if schema.field_at(null.path[:1]).get("deprecated") or str(null.path[0]).startswith("x-"):
        return None  # deprecated, or not a field
    if null.removes_merged_key:
        return None
    return Problem(
        code="empty-value",
        summary=f"`{path_text(null.path)}` is empty, and null removes nothing here",
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
            f'write `{name}: ""` for empty text, `{name}: "${{env:{variable}}}"` to take it from the '
            f"environment, or remove the line"
        )
    field = schema.field_at(path)
    if "default" in field:
        return (
            f"write `{name}: {to_flow(field['default'])}`, the default, or another value; or remove the line"
        )
    if field.get("minLength") == 0:
        return f'write `{name}: ""` for none, or a value; or remove the line'
    return HINTS.get(name, f"write a value, such as `{name}: {to_flow(_example(field))}`, or remove the line")


def _example(field: dict[str, object]) -> object:
    examples = field.get("examples")
    return examples[0] if isinstance(examples, list) and examples else "..."
