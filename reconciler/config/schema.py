"""The only door to jsonschema and jsonschema-rs: the published schemas, and whether data fits them.

The compiled validator says whether there is anything to report. Only if there is, the other one is imported
and walks the data again, to say what.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence, Set
from functools import cache
from pathlib import Path
from typing import Any, Final

NAMES: Final = ("endpoints", "specs", "config")

_INSTALLED: Final = Path(__file__).resolve().parents[1] / "schemas"
_CHECKOUT: Final = Path(__file__).resolve().parents[2] / "schemas"


def text_of(name: str) -> str:
    """The text of a published schema: `endpoints`, `specs` or `config`."""
    if name not in NAMES:
        raise KeyError(name)
    file = f"{name}.schema.json"
    installed = _INSTALLED / file
    return (installed if installed.is_file() else _CHECKOUT / file).read_text(encoding="utf-8")


@cache
def schema_of(name: str, definition: str = "", *, many: bool = False) -> dict[str, Any]:
    """A schema, or one of its definitions; with `many` the schema of a list of such."""
    whole: dict[str, Any] = json.loads(text_of(name))
    if not definition:
        return whole
    part: dict[str, Any] = {"$ref": f"#/$defs/{definition}"}
    if many:
        part = {"type": "array", "items": part}
    return {"$schema": whole["$schema"], "$defs": whole["$defs"], **part}


def fits(name: str, data: Any, definition: str = "", *, many: bool = False) -> bool:
    """Whether there is nothing to report."""
    return bool(_compiled(name, definition, many).is_valid(data))


def errors(name: str, data: Any, definition: str = "") -> Iterable[Any]:
    """What is wrong, as jsonschema's error objects; `reports` puts them in words."""
    found: Iterable[Any] = _explaining(name, definition).iter_errors(data)
    return found


def type_at(path: Sequence[str | int], definition: str = "fields", name: str = "endpoints") -> str:
    """The JSON type of a field that a reference may fill: `integer`, `boolean`, `number` or `string`."""
    kinds = _real(field_at(path, definition, name), schema_of(name)).get("type", "string")
    return kinds if isinstance(kinds, str) else next(kind for kind in kinds if kind != "null")


def paths_of_fields() -> Set[tuple[str]]:
    """The path of every field of an endpoint."""
    return {(name,) for name in schema_of("endpoints")["$defs"]["fields"]["properties"]}


def field_at(
    path: Sequence[str | int], definition: str = "fields", name: str = "endpoints"
) -> dict[str, Any]:
    """The schema of a field, with its default and its examples; {} for what is none."""
    root = schema_of(name)
    schema: Any = root["$defs"][definition]
    for step in path:
        schema = _real(schema, root)
        below = schema.get("properties", {}).get(step) if isinstance(step, str) else None
        schema = (
            below if below is not None else schema.get("items") or schema.get("additionalProperties") or {}
        )
    found: dict[str, Any] = schema
    return found


def _real(schema: Any, root: dict[str, Any]) -> dict[str, Any]:
    """The schema behind `$ref`, and the branch of an `anyOf` that is not the reference."""
    while True:
        if "anyOf" in schema:
            schema = schema["anyOf"][0]
        elif "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        else:
            found: dict[str, Any] = schema
            return found


@cache
def _compiled(name: str, definition: str, many: bool) -> Any:
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(schema_of(name, definition, many=many))


@cache
def _compiled_pattern(pattern: str) -> Any:
    """Finds what the schemas mean, as `fits` does, and in a time that grows with the text."""
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator({"pattern": pattern})


@cache
def _explaining(name: str, definition: str) -> Any:
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterable[Any]:
        if not _compiled_pattern(pattern).is_valid(instance):
            yield ValidationError("pattern")

    explaining: Any = extend  # its stub leaves it untyped
    return explaining(Draft202012Validator, {"pattern": pattern})(schema_of(name, definition))
