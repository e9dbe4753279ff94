"""The published JSON schemas and validation against them. Only this module uses jsonschema and jsonschema-rs.

The fast validator (jsonschema-rs) decides whether data is valid. Only for invalid data, jsonschema is
imported and validates again, for its detailed errors.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cache
from pathlib import Path
from typing import Any, Final

NAMES: Final = ("endpoints", "specs", "config")
"""The schemas of files."""

NOTIFICATION: Final = "notification"
"""The schema of what `run` posts to a webhook."""

_INSTALLED: Final = Path(__file__).resolve().parents[1] / "schemas"
_CHECKOUT: Final = Path(__file__).resolve().parents[2] / "schemas"


def schema_text(name: str) -> str:
    """Return the text of a published schema: `endpoints`, `specs`, `config` or `notification`."""
    if name not in (*NAMES, NOTIFICATION):
        raise KeyError(name)
    return (schema_folder() / f"{name}.schema.json").read_text(encoding="utf-8")


def schema_folder() -> Path:
    """Return the folder of the published schemas: in the package, or else in the checkout."""
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT


@cache
def load_schema(name: str, definition: str = "", *, many: bool = False) -> dict[str, Any]:
    """Return a schema or one of its definitions; with `many`, the schema of a list of them."""
    if not definition:
        read: dict[str, Any] = json.loads(schema_text(name))
        return read
    whole = load_schema(name)
    part: dict[str, Any] = {"$ref": f"#/$defs/{definition}"}
    if many:
        part = {"type": "array", "items": part}
    return {"$schema": whole["$schema"], "$defs": whole["$defs"], **part}


def is_valid(name: str, data: Any, definition: str = "", *, many: bool = False) -> bool:
    """Return True if the data is valid."""
    return bool(_fast_validator(name, definition, many).is_valid(data))


def validation_errors(name: str, data: Any, definition: str = "") -> Iterable[Any]:
    """Return the errors of jsonschema; `schema_problems` explains them."""
    errors: Iterable[Any] = _detailed_validator(name, definition).iter_errors(data)
    return errors


def item_errors(item_schema: Mapping[str, Any], data: Any) -> Iterable[Any]:
    """Return the errors of jsonschema about an item of a kind that brings its own schema."""
    from jsonschema import Draft202012Validator

    errors: Iterable[Any] = Draft202012Validator(item_schema).iter_errors(data)
    return errors


def type_at(path: Sequence[str | int], definition: str = "fields", name: str = "endpoints") -> str:
    """Return the JSON type of a field: `integer`, `boolean`, `number` or `string`."""
    kinds = dereferenced(field_at(path, definition, name), load_schema(name)).get("type", "string")
    return kinds if isinstance(kinds, str) else next(kind for kind in kinds if kind != "null")


def paths_of_fields() -> Set[tuple[str]]:
    """Return the paths of all fields of an endpoint."""
    return {(name,) for name in load_schema("endpoints")["$defs"]["fields"]["properties"]}


def field_at(
    path: Sequence[str | int], definition: str = "fields", name: str = "endpoints"
) -> dict[str, Any]:
    """Return the schema of a field, with its default and its examples; {} for an unknown field."""
    root = load_schema(name)
    schema: Any = root["$defs"][definition]
    for step in path:
        schema = dereferenced(schema, root)
        below = schema.get("properties", {}).get(step) if isinstance(step, str) else None
        schema = (
            below if below is not None else schema.get("items") or schema.get("additionalProperties") or {}
        )
    field: dict[str, Any] = schema
    return field


def dereferenced(schema: Any, root: dict[str, Any]) -> dict[str, Any]:
    """Return the schema behind a `$ref`, and the first branch of an `anyOf`; the second allows `${...}`."""
    while True:
        if "anyOf" in schema:
            schema = schema["anyOf"][0]
        elif "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        else:
            result: dict[str, Any] = schema
            return result


@cache
def _fast_validator(name: str, definition: str, many: bool) -> Any:
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(load_schema(name, definition, many=many))


@cache
def _pattern_validator(pattern: str) -> Any:
    """Return a validator of a pattern that agrees with `is_valid` and takes linear time."""
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator({"pattern": pattern})


@cache
def _detailed_validator(name: str, definition: str) -> Any:
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterable[Any]:
        if not _pattern_validator(pattern).is_valid(instance):
            yield ValidationError("pattern")

    typed_extend: Any = extend  # its stub is untyped
    return typed_extend(Draft202012Validator, {"pattern": pattern})(load_schema(name, definition))
