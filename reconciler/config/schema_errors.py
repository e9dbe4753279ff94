"""Explains errors of jsonschema as problems with a place and a hint."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

from reconciler.config.vocabulary import HINTS, OTHER_NAMES, TYPE_NAMES, path_text, suggest_name
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place, Problem
from reconciler.model.secrets import MASK
from reconciler.model.values import DataPath
from reconciler.yamlfile.document import is_secret_key
from reconciler.yamlfile.nodes import Node
from reconciler.yamlfile.scalars import double_quoted, truncated, type_name

_AMOUNT: Final = re.compile(r"([0-9]{1,9})\s*([smh]?|[KMGT]i?B?)\Z", re.IGNORECASE)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


class Locator(Protocol):
    """Returns the place and the node of a path of the data."""

    def place(self, path: Sequence[str | int] = (), *, key: bool = False) -> Place | None: ...

    def node(self, path: Sequence[str | int]) -> Node | None: ...


@dataclass(frozen=True, slots=True)
class _SchemaError:
    """One error of jsonschema with the context for its problems."""

    error: Any
    path: DataPath
    locator: Locator
    examples: Sequence[Any] = ()
    unknown: Collection[DataPath] = ()
    key: str = "endpoint"

    @property
    def example(self) -> str:
        examples = self.error.schema.get("examples") or self.examples
        return str(examples[0]) if examples else ""

    def problem(
        self, code: str, summary: str, hint: str, path: DataPath | None = None, *, key: bool = False
    ) -> Problem:
        place = self.locator.place(self.path if path is None else path, key=key)
        return Problem(code=code, summary=summary, hint=hint, place=place)


def schema_problems(
    errors: Iterable[Any],
    locator: Locator,
    *,
    address: str | None = None,
    base: DataPath = (),
    unknown: Collection[DataPath] = (),
    key: str = "endpoint",
) -> list[Problem]:
    """Return the problems of jsonschema's errors, without repetitions. `base` is the path of the data.

    Paths in `unknown` are skipped, because their values are unknown after earlier problems. A key that was
    probably misspelled is not reported as missing. `key` holds the name of an item.
    """
    from dataclasses import replace

    errors = tuple(errors)
    absent = {*unknown, *invalid_paths(errors, base)}
    problems: dict[Problem, None] = {}
    reported: set[DataPath] = set()
    for error in errors:
        path = (*base, *error.absolute_path)
        if path in unknown:
            continue
        if error.validator not in ("required", "additionalProperties"):
            # Only the first error of a value is reported: an empty text is too short and matches no pattern.
            if path in reported and "propertyNames" not in error.schema_path:
                continue
            reported.add(path)
        for problem in _explain(_SchemaError(error, path, locator, unknown=absent, key=key)):
            problems[replace(problem, address=address)] = None
    return list(problems)


def invalid_paths(errors: Iterable[Any], base: DataPath = ()) -> set[DataPath]:
    """Return the paths of invalid values, and of keys that were probably misspelled."""
    paths: set[DataPath] = set()
    for error in errors:
        path = (*base, *error.absolute_path)
        if error.validator == "additionalProperties":
            for key, meant in _misspelled(error):
                paths |= {(*path, key), (*path, meant)} if meant else {(*path, key)}
        elif "propertyNames" in error.schema_path:
            paths.add((*path, error.instance))
        elif error.validator != "required":
            paths.add(path)
    return paths


def _misspelled(error: Any) -> Iterator[tuple[str, str]]:
    """Yield each unknown key with the key that was probably meant, or ""."""
    properties = error.schema["properties"]
    known = _known(properties)
    for key in error.instance:
        if key not in properties:
            other = OTHER_NAMES.get(key, "")
            yield key, other if other in known else suggest_name(key, known)


def _known(properties: dict[str, Any]) -> tuple[str, ...]:
    return tuple(name for name, field in properties.items() if not field.get("deprecated"))


def _explain(invalid: _SchemaError) -> Iterator[Problem]:
    error = invalid.error
    match error.validator:
        case "additionalProperties":
            yield from _unknown_keys(invalid)
        case "required":
            yield from _missing_keys(invalid)
        case "anyOf":
            # The first branch is the field, the second allows a reference.
            for inner in error.context:
                if inner.schema_path[0] == 0:
                    examples = error.schema.get("examples", ())
                    yield from _explain(_SchemaError(inner, invalid.path, invalid.locator, examples))
        case "type":
            yield _wrong_type(invalid)
        case "enum":
            yield _not_in_enum(invalid)
        case "minimum" | "maximum" | "exclusiveMinimum":
            yield _out_of_range(invalid)
        case "oneOf":
            yield _not_one_of(invalid)
        case "not" if not error.validator_value:
            yield _misplaced_key(invalid)
        case "not":
            refused = ", ".join(str(value) for value in error.validator_value["enum"])
            yield invalid.problem(
                "out-of-range",
                f"`{path_text(invalid.path)}` cannot be {error.instance}: Novita reserves {refused}",
                f"write another value, such as `{invalid.path[-1]}: {invalid.example}`",
            )
        case _:
            yield _bad_text(invalid)


def _unknown_keys(invalid: _SchemaError) -> Iterator[Problem]:
    known = _known(invalid.error.schema["properties"])
    for key, meant in _misspelled(invalid.error):
        hint = f"did you mean `{meant}`?" if meant else _known_keys(known)
        path = (*invalid.path, key)
        yield invalid.problem("unknown-key", f"unknown key `{path_text(path)}`", hint, path, key=True)


def _known_keys(known: Sequence[str]) -> str:
    names = [name for name in known if not name.startswith("$")]
    return "known keys: " + ", ".join(names[:22]) + (", ..." if len(names) > 22 else "")


def _missing_keys(invalid: _SchemaError) -> Iterator[Problem]:
    for key in invalid.error.validator_value:
        if key in invalid.error.instance or (*invalid.path, key) in invalid.unknown:
            continue
        path = (
            (*invalid.path, invalid.key)
            if invalid.locator.place((*invalid.path, invalid.key))
            else invalid.path
        )
        noun = "item" if invalid.key == "name" else invalid.key
        here = f"`{path_text(invalid.path)}`" if invalid.path else f"this {noun}"
        yield invalid.problem(
            "missing-key", f"{here} has no `{key}`", HINTS.get(key, f"write `{key}: ...`"), path
        )


def _not_one_of(invalid: _SchemaError) -> Problem:
    """Return the problem of a mapping that must have exactly one of several keys."""
    choices = {branch["required"][0]: branch["description"] for branch in invalid.error.validator_value}
    here, names = f"`{path_text(invalid.path)}`", [f"`{key}`" for key in choices]
    uses = " or ".join(f"`{key}` for {what}" for key, what in choices.items())
    if any(key in invalid.error.instance for key in choices):
        return invalid.problem("conflicting-keys", f"{here} has both {' and '.join(names)}", f"keep {uses}")
    return invalid.problem("missing-key", f"{here} has neither {' nor '.join(names)}", f"write {uses}")


def _wrong_type(invalid: _SchemaError) -> Problem:
    value = invalid.error.instance
    kinds = invalid.error.validator_value
    expected = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
    wanted = " or ".join(TYPE_NAMES[kind] for kind in expected)
    written = _as_written(invalid)
    what = f"`{path_text(invalid.path)}`" if invalid.path else "this file"
    if "string" in expected and isinstance(value, bool | int | float):
        is_in_file = invalid.locator.node(invalid.path) is not None
        actual = (
            f"and YAML reads {written} as {type_name(value)}" if is_in_file else f"not {type_name(value)}"
        )
        return invalid.problem(
            "not-text",
            f"{what} must be text, {actual}",
            f"write {double_quoted(written) if written != MASK else 'it in double quotes'}",
        )
    if isinstance(value, str):
        actual = f"the text {double_quoted(written)}" if written != MASK else "text"
    else:
        actual = type_name(value)
    return invalid.problem(
        "wrong-type", f"{what} must be {wanted}, not {actual}", _type_hint(invalid, expected[0])
    )


def _type_hint(invalid: _SchemaError, kind: str) -> str:
    value = invalid.error.instance
    name = invalid.path[-1] if invalid.path else ""
    if kind in ("integer", "number") and isinstance(value, str) and (amount := _AMOUNT.match(value.strip())):
        unit = amount[2].lower()
        number = int(amount[1]) * _SECONDS.get(unit, 1)
        return f"write `{name}: {number}`, " + (
            "in seconds" if unit in _SECONDS else "without quotes or unit"
        )
    if (
        kind == "boolean"
        and isinstance(value, str)
        and value.lower() in ("true", "false", "yes", "no", "on", "off")
    ):
        return (
            f"write `{name}: {'true' if value.lower() in ('true', 'yes', 'on') else 'false'}`, without quotes"
        )
    if kind == "array" and isinstance(name, str):
        return "write each item on its own line, starting with `- `"
    if kind == "object":
        return "write `key: value` lines below it, indented"
    if invalid.example and kind != "boolean":
        return f"write for example `{name}: {invalid.example}`"
    return f"write {TYPE_NAMES[kind]}"


def _not_in_enum(invalid: _SchemaError) -> Problem:
    allowed = [value for value in invalid.error.validator_value if value is not None]
    choices = " or ".join(f"`{value}`" for value in allowed)
    value = invalid.error.instance
    meant = suggest_name(value, allowed) if isinstance(value, str) else ""
    return invalid.problem(
        "not-one-of",
        f"`{path_text(invalid.path)}` must be {choices}, not {_as_written(invalid)}",
        f"did you mean `{meant}`?" if meant else f"write `{invalid.path[-1]}: {allowed[0]}`",
    )


def _out_of_range(invalid: _SchemaError) -> Problem:
    schema = invalid.error.schema
    low, above, high = schema.get("minimum"), schema.get("exclusiveMinimum"), schema.get("maximum")
    if above is not None:
        wanted = f"more than {above} and at most {high}"
    elif high is None or high >= 2**31 - 1:
        wanted = f"{low} or more" if invalid.error.validator == "minimum" else f"at most {high}"
    else:
        wanted = f"from {low} to {high}"
    return invalid.problem(
        "out-of-range",
        f"`{path_text(invalid.path)}` must be {wanted}, not {_as_written(invalid)}",
        f"write a number that is {wanted}",
    )


def _bad_text(invalid: _SchemaError) -> Problem:
    error = invalid.error
    schema = error.schema
    expected = schema.get("patternErrorMessage", "")
    if "propertyNames" in error.schema_path:
        path, kind = (*invalid.path, error.instance), schema.get("title", "a variable name")
        return invalid.problem(
            "bad-format",
            f"`{path_text(invalid.path)}` has a key that is not {kind}: {double_quoted(error.instance)}",
            f"use {expected}; at most {schema['maxLength']} characters",
            path,
            key=True,
        )
    what = f"`{path_text(invalid.path)}`"
    if error.validator == "maxLength":
        return invalid.problem(
            "bad-format",
            f"{what} is {len(error.instance)} characters long; at most {error.validator_value} are allowed",
            "shorten it",
        )
    if error.validator == "minLength":
        return invalid.problem("bad-format", f"{what} is empty", "write a value, or remove the key")
    return invalid.problem(
        "bad-format",
        f"{what} must be {expected}",
        f"write for example `{invalid.path[-1]}: {invalid.example}`",
    )


def _misplaced_key(invalid: _SchemaError) -> Problem:
    """Return the problem of a known key in the wrong place."""
    name = invalid.path[-1]
    return invalid.problem(
        "unknown-key",
        f"`{name}` cannot be a default, because it belongs to one endpoint",
        f"move `{name}` into the item under `endpoints:`",
        key=True,
    )


def _as_written(invalid: _SchemaError) -> str:
    """Return the value as the user wrote it: 1.10, not 1.1."""
    if invalid.path and is_secret_key(invalid.path[-1]):
        return MASK
    node = invalid.locator.node(invalid.path)
    text = node.value if node is not None and isinstance(node.value, str) else str(invalid.error.instance)
    return truncated(text)
