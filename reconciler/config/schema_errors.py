"""Schema errors -> Problems in our own words: what is wrong, what is expected, where, and what to write."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from reconciler.config.vocabulary import HINTS, OTHER_NAMES, WANTED, close_to, spelled
from reconciler.model.problem import Place, Problem
from reconciler.model.secrets import MASK
from reconciler.model.values import DataPath
from reconciler.yamlfile.document import holds_key
from reconciler.yamlfile.nodes import Node
from reconciler.yamlfile.scalars import kind_of, quoted, shortened

_AMOUNT: Final = re.compile(r"([0-9]{1,9})\s*([smh]?|[KMGT]i?B?)\Z", re.IGNORECASE)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


class Locator(Protocol):
    """Whoever knows where a path of the data stands in the files."""

    def place(self, path: Sequence[str | int] = (), *, key: bool = False) -> Place | None: ...

    def node(self, path: Sequence[str | int]) -> Node | None: ...


@dataclass(frozen=True, slots=True)
class _Report:
    """What one error needs to become problems: the error, and where we are."""

    error: Any
    path: DataPath
    where: Locator
    examples: Sequence[Any] = ()
    doubtful: Collection[DataPath] = ()

    @property
    def example(self) -> str:
        found = self.error.schema.get("examples") or self.examples
        return str(found[0]) if found else ""

    def problem(
        self, code: str, summary: str, hint: str, path: DataPath | None = None, *, key: bool = False
    ) -> Problem:
        place = self.where.place(self.path if path is None else path, key=key)
        return Problem(code=code, summary=summary, hint=hint, place=place)


def reports(
    errors: Iterable[Any],
    where: Locator,
    *,
    address: str | None = None,
    base: DataPath = (),
    doubtful: Collection[DataPath] = (),
) -> list[Problem]:
    """The problems behind jsonschema's errors, each once. `base` is the path of the data below `where`.

    Nothing is said of `doubtful` paths, for which it was told before that their values are unknown; nor is a
    key called missing that a misspelled one stands for.
    """
    from dataclasses import replace

    errors = tuple(errors)
    lacking = {*doubtful, *unsound(errors, base)}
    found: dict[Problem, None] = {}
    judged: set[DataPath] = set()
    for error in errors:
        path = (*base, *error.absolute_path)
        if path in doubtful:
            continue
        if error.validator not in ("required", "additionalProperties"):
            # Of a value only the first fault is told: an empty text is too short, and fits no pattern either.
            if path in judged and "propertyNames" not in error.schema_path:
                continue
            judged.add(path)
        for problem in _explain(_Report(error, path, where, doubtful=lacking)):
            found[replace(problem, address=address)] = None
    return list(found)


def unsound(errors: Iterable[Any], base: DataPath = ()) -> set[DataPath]:
    """The paths of what is at fault, and of the keys that misspelled ones probably stand for."""
    found: set[DataPath] = set()
    for error in errors:
        path = (*base, *error.absolute_path)
        if error.validator == "additionalProperties":
            for key, meant in _misspelled(error):
                found |= {(*path, key), (*path, meant)} if meant else {(*path, key)}
        elif "propertyNames" in error.schema_path:
            found.add((*path, error.instance))
        elif error.validator != "required":
            found.add(path)
    return found


def _misspelled(error: Any) -> Iterator[tuple[str, str]]:
    """Each key that is not known, and the one that was probably meant, or nothing."""
    properties = error.schema["properties"]
    known = _known(properties)
    for key in error.instance:
        if key not in properties:
            other = OTHER_NAMES.get(key, "")
            yield key, other if other in known else close_to(key, known)


def _known(properties: dict[str, Any]) -> tuple[str, ...]:
    return tuple(name for name, field in properties.items() if not field.get("deprecated"))


def _explain(report: _Report) -> Iterator[Problem]:
    error = report.error
    match error.validator:
        case "additionalProperties":
            yield from _unknown_keys(report)
        case "required":
            yield from _missing_keys(report)
        case "anyOf":
            # The first branch is the field itself, the second lets a reference stand for it.
            for inner in error.context:
                if inner.schema_path[0] == 0:
                    examples = error.schema.get("examples", ())
                    yield from _explain(_Report(inner, report.path, report.where, examples))
        case "type":
            yield _wrong_type(report)
        case "enum":
            yield _not_one_of(report)
        case "minimum" | "maximum" | "exclusiveMinimum":
            yield _out_of_range(report)
        case "not" if not error.validator_value:
            yield _not_here(report)
        case "not":
            refused = ", ".join(str(value) for value in error.validator_value["enum"])
            yield report.problem(
                "out-of-range",
                f"`{spelled(report.path)}` cannot be {error.instance}: Novita keeps {refused} for itself",
                f"write another one, such as `{report.path[-1]}: {report.example}`",
            )
        case _:
            yield _bad_text(report)


def _unknown_keys(report: _Report) -> Iterator[Problem]:
    known = _known(report.error.schema["properties"])
    for key, meant in _misspelled(report.error):
        hint = f"did you mean `{meant}`?" if meant else _known_keys(known)
        path = (*report.path, key)
        yield report.problem("unknown-key", f"unknown key `{spelled(path)}`", hint, path, key=True)


def _known_keys(known: Sequence[str]) -> str:
    names = [name for name in known if not name.startswith("$")]
    return "known keys: " + ", ".join(names[:22]) + (", ..." if len(names) > 22 else "")


def _missing_keys(report: _Report) -> Iterator[Problem]:
    for key in report.error.validator_value:
        if key in report.error.instance or (*report.path, key) in report.doubtful:
            continue
        path = (*report.path, "endpoint") if report.where.place((*report.path, "endpoint")) else report.path
        here = f"`{spelled(report.path)}`" if report.path else "this endpoint"
        yield report.problem(
            "missing-key", f"{here} has no `{key}`", HINTS.get(key, f"write `{key}: ...`"), path
        )


def _wrong_type(report: _Report) -> Problem:
    value = report.error.instance
    kinds = report.error.validator_value
    expected = [kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
    wanted = " or ".join(WANTED[kind] for kind in expected)
    written = _as_written(report)
    what = f"`{spelled(report.path)}`" if report.path else "this file"
    if "string" in expected and isinstance(value, bool | int | float):
        in_file = report.where.node(report.path) is not None
        found = f"and YAML reads {written} as {kind_of(value)}" if in_file else f"not {kind_of(value)}"
        return report.problem(
            "not-text",
            f"{what} must be text, {found}",
            f"write {quoted(written) if written != MASK else 'it in double quotes'}",
        )
    if isinstance(value, str):
        found = f"the text {quoted(written)}" if written != MASK else "text"
    else:
        found = kind_of(value)
    return report.problem(
        "wrong-type", f"{what} must be {wanted}, not {found}", _type_hint(report, expected[0])
    )


def _type_hint(report: _Report, kind: str) -> str:
    value = report.error.instance
    name = report.path[-1] if report.path else ""
    if kind in ("integer", "number") and isinstance(value, str) and (found := _AMOUNT.match(value.strip())):
        unit = found[2].lower()
        number = int(found[1]) * _SECONDS.get(unit, 1)
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
        return "write each item on a line of its own, starting with `- `"
    if kind == "object":
        return "write `key: value` lines below it, indented"
    if report.example and kind != "boolean":
        return f"write for example `{name}: {report.example}`"
    return f"write {WANTED[kind]}"


def _not_one_of(report: _Report) -> Problem:
    allowed = [value for value in report.error.validator_value if value is not None]
    listed = " or ".join(f"`{value}`" for value in allowed)
    value = report.error.instance
    meant = close_to(value, allowed) if isinstance(value, str) else ""
    return report.problem(
        "not-one-of",
        f"`{spelled(report.path)}` must be {listed}, not {_as_written(report)}",
        f"did you mean `{meant}`?" if meant else f"write `{report.path[-1]}: {allowed[0]}`",
    )


def _out_of_range(report: _Report) -> Problem:
    schema = report.error.schema
    low, above, high = schema.get("minimum"), schema.get("exclusiveMinimum"), schema.get("maximum")
    if above is not None:
        wanted = f"more than {above} and at most {high}"
    elif high >= 2**31 - 1:
        wanted = f"{low} or more" if report.error.validator == "minimum" else f"at most {high}"
    else:
        wanted = f"from {low} to {high}"
    return report.problem(
        "out-of-range",
        f"`{spelled(report.path)}` must be {wanted}, not {_as_written(report)}",
        f"write a number that is {wanted}",
    )


def _bad_text(report: _Report) -> Problem:
    error = report.error
    schema = error.schema
    expected = schema.get("patternErrorMessage", "")
    if "propertyNames" in error.schema_path:
        path = (*report.path, error.instance)
        return report.problem(
            "bad-format",
            f"`{spelled(report.path)}` has a key that is no variable name: {quoted(error.instance)}",
            f"use {expected}; at most {schema['maxLength']} characters",
            path,
            key=True,
        )
    what = f"`{spelled(report.path)}`"
    if error.validator == "maxLength":
        return report.problem(
            "bad-format",
            f"{what} is {len(error.instance)} characters long; at most {error.validator_value} are allowed",
            "shorten it",
        )
    if error.validator == "minLength":
        return report.problem("bad-format", f"{what} is empty", "write a value, or remove the key")
    return report.problem(
        "bad-format", f"{what} must be {expected}", f"write for example `{report.path[-1]}: {report.example}`"
    )


def _not_here(report: _Report) -> Problem:
    """A key that exists, and not in this place."""
    name = report.path[-1]
    return report.problem(
        "unknown-key",
        f"`{name}` cannot be a default: it belongs to one endpoint",
        f"move `{name}` into the item under `endpoints:`",
        key=True,
    )


def _as_written(report: _Report) -> str:
    """The value as the user wrote it: 1.10, and not the 1.1 that YAML makes of it."""
    if report.path and holds_key(report.path[-1]):
        return MASK
    node = report.where.node(report.path)
    text = node.value if node is not None and isinstance(node.value, str) else str(report.error.instance)
    return shortened(text)
