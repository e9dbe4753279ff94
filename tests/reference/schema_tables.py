"""Tables in Markdown about JSON Schemas: the fields of an object with type, limits and meaning."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.reference.pages import table

HEAD = ("field", "type", "meaning")

BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}
"""The texts of keywords that limit a value."""

OBVIOUS = {("minLength", 0), ("minLength", 1), ("minimum", 0)}
"""Limits that need no word."""


def fields_table(schema: Mapping[str, Any]) -> str:
    """Return the table of an object; "" if it names no fields."""
    required = schema.get("required", ())
    rows = [
        (
            f"`{name}`" + ("" if name in required else " (optional)"),
            type_text(field),
            meaning(field),
        )
        for name, field in schema.get("properties", {}).items()
    ]
    return table(HEAD, rows) if rows else ""


def type_text(schema: Mapping[str, Any]) -> str:
    """Return the type in words; a reference is a link to the section of its name."""
    if reference := schema.get("$ref", ""):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            return " or ".join(dict.fromkeys(map(type_text, schema[keyword])))
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    kinds = schema.get("type", "any")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return " or ".join(_kind_text(kind, schema) for kind in kinds)


def meaning(schema: Mapping[str, Any]) -> str:
    """Return the description and the limits, as sentences."""
    limits = ", ".join(limit_texts(schema))
    return " ".join(
        filter(None, (schema.get("description", ""), limits and f"{limits[0].upper()}{limits[1:]}."))
    )


def limit_texts(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the limits of a value, such as `at least 1`."""
    for keyword, text in BOUNDS.items():
        if keyword in schema and (keyword, schema[keyword]) not in OBVIOUS:
            yield text.format(f"{schema[keyword]:,}")


def _kind_text(kind: str, schema: Mapping[str, Any]) -> str:
    if kind == "array" and "items" in schema:
        return f"list of {type_text(schema['items'])}"
    values = schema.get("additionalProperties")
    if kind == "object" and isinstance(values, Mapping):
        return f"map to {type_text(values)}"
    if kind == "object" and schema.get("properties"):
        return f"object with {', '.join(f'`{name}`' for name in schema['properties'])}"
    if kind == "string" and schema.get("format") == "date-time":
        return "time"
    return kind
