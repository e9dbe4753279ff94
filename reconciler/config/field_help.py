"""The explanation of a field of the files, from their published schemas. Reads no file of the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.config.schema import dereferenced, load_schema
from reconciler.kinds.registry import ENDPOINT, KINDS
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.values import Json

_ROOTS: Final[Mapping[str, tuple[str, str]]] = {
    "defaults": ("endpoints", "fields"),
    "endpoints": ("endpoints", "endpoint"),
    "removed": ("endpoints", "removed"),
    "registries": ("endpoints", "registry"),
    "storages": ("endpoints", "storage"),
    "specs": ("specs", "spec"),
    "config": ("config", ""),
}
"""The first step of a path -> the schema and its definition of what the path continues in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldHelp:
    """The explanation of one field.

    path: as the user may write it, such as `endpoints.policy.type`. values: those that are allowed, if they
    are listed. default: None if there is none. wire_paths: the dotted paths in Novita's API. fields: the
    fields in it, each with its type and its description.
    """

    path: str
    title: str
    type: str
    description: str
    values: tuple[str, ...] = ()
    default: Json = None
    is_required: bool = False
    examples: tuple[Json, ...] = ()
    wire_paths: tuple[str, ...] = ()
    fields: tuple[tuple[str, str, str], ...] = ()


def explain_field(text: str) -> FieldHelp | None:
    """Return the explanation of a dotted path, None if there is no such field.

    A path without a file begins at an endpoint (`policy.type`), or else in config.yaml (`drift.ignore`).
    """
    steps = text.split(".") if text else ["endpoints"]
    first = steps[0]
    if first in _ROOTS:
        return _explain(*_ROOTS[first], root=first, steps=steps[1:])
    for root in ("endpoints", "config"):
        if found := _explain(*_ROOTS[root], root=root, steps=steps):
            return found
    return None


def known_paths() -> Iterator[str]:
    """Yield the paths of all fields, for suggestions and completion."""
    for root, (name, definition) in _ROOTS.items():
        schema = load_schema(name)
        prefix = "" if root == "endpoints" else f"{root}."
        if root != "defaults":
            yield root
            yield from _paths_in(_definition(schema, definition), schema, prefix)


def _paths_in(part: Mapping[str, Any], schema: dict[str, Any], prefix: str) -> Iterator[str]:
    for name, below in _fields_of(part, schema).items():
        yield f"{prefix}{name}"
        yield from _paths_in(_inner(below, schema), schema, f"{prefix}{name}.")


def _explain(name: str, definition: str, *, root: str, steps: list[str]) -> FieldHelp | None:
    schema = load_schema(name)
    part = _definition(schema, definition)
    about: dict[str, Any] = _about_root(schema, root, part)
    required: list[str] = []
    for step in steps:
        holder = _inner(part, schema)
        required = [*holder.get("required", ()), *part.get("required", ())]
        found = _fields_of(part, schema).get(step)
        if found is None:
            found = holder.get("additionalProperties")
        if not isinstance(found, dict):
            return None
        about, part = found, found
    resolved = dereferenced(about, schema)
    inner = dereferenced(part, schema)
    sections = {kind.section: kind for kind in KINDS.values()} | {"defaults": ENDPOINT}
    wire = sections[root].table.wire_paths(".".join(steps)) if root in sections else ()
    return FieldHelp(
        path=".".join((root, *steps)),
        title=about.get("title", resolved.get("title", "")),
        type=_type_of(about, schema),
        description=about.get("description", resolved.get("description", "")),
        values=tuple(map(str, resolved.get("enum", ()))),
        default=about.get("default", resolved.get("default")),
        is_required=bool(steps) and steps[-1] in required,
        examples=tuple(about.get("examples", resolved.get("examples", ()))),
        wire_paths=tuple(".".join(path) for path in wire),
        fields=tuple(
            (field, _type_of(below, schema), _first_sentence(below, schema))
            for field, below in _fields_of(inner, schema).items()
        ),
    )


def _definition(schema: dict[str, Any], definition: str) -> dict[str, Any]:
    found: dict[str, Any] = schema["$defs"][definition] if definition else schema
    return found


def _about_root(schema: dict[str, Any], root: str, part: dict[str, Any]) -> dict[str, Any]:
    """Return what the schema says of the section itself, such as `endpoints`."""
    found: dict[str, Any] = schema["properties"].get(root, part)
    return found


def _inner(part: Mapping[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the object that a field is, or that the items of a list are."""
    inner = dereferenced(part, schema)
    return dereferenced(inner["items"], schema) if "items" in inner else inner


def _fields_of(part: Mapping[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = _inner(part, schema).get("properties", {})
    return {name: below for name, below in found.items() if name != "$schema"}


def _type_of(part: Mapping[str, Any], schema: dict[str, Any]) -> str:
    """Return the type in words, such as `list of objects`."""
    inner = dereferenced(part, schema)
    if "items" in inner:
        return f"list of {_type_of(inner['items'], schema)}s"
    names = inner.get("type", "value")
    kinds = [names] if isinstance(names, str) else [name for name in names if name != "null"]
    if (
        kinds == ["object"]
        and not inner.get("properties")
        and isinstance(inner.get("additionalProperties"), dict)
    ):
        return f"map of {_type_of(inner['additionalProperties'], schema)}s"
    return " or ".join(kinds)


def _first_sentence(part: Mapping[str, Any], schema: dict[str, Any]) -> str:
    text: str = part.get("description", dereferenced(part, schema).get("description", ""))
    return text.partition(". ")[0].rstrip(".")
