"""Expands an item with `matrix` to one endpoint for each combination of its values.

It happens when a file is read, before defaults and overlays are merged and references are resolved. So
`${env:TOKEN_${matrix.model}}` is a reference, and the values may be references too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final

from reconciler.config import schema
from reconciler.config.matrix_values import Choice, Choices, MatrixReader
from reconciler.config.vocabulary import suggest_name
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.values import DataPath
from reconciler.yamlfile.document import Document
from reconciler.yamlfile.scalars import truncated

MAX_COMBINATIONS: Final = 10_000
"""Combinations of one item, with those that are excluded. Accounts have far fewer endpoints."""

_REFERENCE: Final = re.compile(r"\$\$\{|\$\{matrix\.([^{}]*)\}")
_IN_NAME: Final = re.compile(r"\$\$\{|\$\{matrix\.([^{}]*)\}|(?<!\$)\{([^{}]*)\}")
"""In names, `{model}` is short for `${matrix.model}`."""


@dataclass(frozen=True, slots=True)
class ExpandedItem:
    """The item of one combination, and the combination as text, such as `region=us, model=llama`."""

    data: dict[str, Any]
    combination: str


def expand(
    document: Document, path: DataPath, item: Mapping[str, Any], problems: list[Problem]
) -> Iterator[ExpandedItem]:
    """Yield the items of the matrix of the item at `path`. Add the problems of an invalid matrix."""
    reader = MatrixReader(document, path)
    template = {key: value for key, value in item.items() if key != "matrix"}
    choices = reader.choices(item["matrix"])
    if not reader.problems:
        excluded = reader.excluded(item["matrix"].get("exclude"), choices)
        reader.problems += _reference_problems(document, path, template, choices)
        combinations = list(_combinations(choices, excluded, reader)) if not reader.problems else []
        yield from _items(_Template(document, template), combinations, path, reader)
    problems += reader.problems


def _items(
    template: _Template, combinations: Sequence[Sequence[Choice]], path: DataPath, reader: MatrixReader
) -> Iterator[ExpandedItem]:
    names: dict[str, str] = {}
    for combination in combinations:
        text = ", ".join(map(str, combination))
        data = template.filled(combination)
        first = names.setdefault(data["endpoint"], text)
        if first is not text:
            reader.problems.append(
                Problem(
                    code="duplicate-endpoint",
                    summary=f"two combinations of `matrix` give the name `{truncated(data['endpoint'])}`",
                    detail=f"They are {first}   and   {text}.",
                    hint="write each key of `matrix` as `{KEY}` in `endpoint`",
                    place=template.document.place((*path, "endpoint")),
                )
            )
            return
        yield ExpandedItem(data, text)


def _combinations(
    choices: Choices, excluded: Sequence[Mapping[str, Any]], reader: MatrixReader
) -> Iterator[tuple[Choice, ...]]:
    """Yield the combinations that are not excluded, in the order of the keys and of their values."""
    count = math.prod(map(len, choices.values()))
    if count > MAX_COMBINATIONS:
        what = f"`matrix` has {count:,} combinations, and at most {MAX_COMBINATIONS:,} are allowed"
        reader.report((), "too-many-combinations", what, "split the item into several ones")
        return
    number = 0
    for combination in product(*choices.values()):
        by_key = dict(zip(choices, combination, strict=True))
        if not any(all(by_key[key].matches(value) for key, value in entry.items()) for entry in excluded):
            number += 1
            yield combination
    if not number:
        what = "`exclude` leaves no combination"
        reader.report(("exclude",), "empty-matrix", what, "remove some of its entries, or remove this item")


def _reference_problems(
    document: Document, path: DataPath, template: Mapping[str, Any], choices: Choices
) -> Iterator[Problem]:
    """Yield problems of references to unknown names, and of keys that no reference uses."""
    known = [name for values in choices.values() for name in _common_names(values)]
    used: set[str] = set()
    for field, text in _texts(template, ()):
        for match in _pattern(field).finditer(text):
            if (name := _name(match)) is None:
                continue
            used.add(name.partition(".")[0])
            if name not in known:
                yield Problem(
                    code="unknown-matrix-name",
                    summary=f"`matrix` of this item has no `{truncated(name)}`",
                    hint=_name_hint(name, known),
                    place=document.place_of_word((*path, *field), match[0]),
                )
    for key in choices:
        if key not in used:
            yield Problem(
                code="unused-key",
                summary=f"nothing uses `matrix.{key}`",
                hint=f"write `{{{key}}}` in `endpoint`, or remove `{key}` from `matrix`",
                place=document.place((*path, "matrix", key), key=True),
            )


def _common_names(values: Sequence[Choice]) -> list[str]:
    """Return the names that all values of a key have."""
    names = [[name for name, _, _ in choice.parts] for choice in values]
    return [name for name in names[0] if all(name in others for others in names)]


def _name_hint(name: str, known: Sequence[str]) -> str:
    below = next((other for other in known if other.startswith(f"{name}.")), "")
    if meant := suggest_name(name, known) or below:
        return f"did you mean `{meant}`?"
    return f"known names: {', '.join(known)}" if known else "give each value of a key the same names"


class _Template:
    """The fields of an item, to be filled with the values of a combination."""

    def __init__(self, document: Document, fields: Mapping[str, Any]) -> None:
        self.document = document
        self._fields = fields
        self._written: dict[DataPath, str] = {}
        self._are_texts: dict[DataPath, bool] = {}

    def filled(self, combination: Sequence[Choice]) -> dict[str, Any]:
        """Return the fields with the references to the matrix replaced."""
        values = {name: (value, path) for choice in combination for name, value, path in choice.parts}
        return {key: self._filled(value, (key,), values) for key, value in self._fields.items()}

    def _filled(self, value: Any, path: DataPath, values: Mapping[str, tuple[Any, DataPath]]) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(inner, (*path, key), values) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(inner, (*path, index), values) for index, inner in enumerate(value)]
        if not isinstance(value, str) or "{" not in value:
            return value

        def text(match: re.Match[str]) -> str:
            return match[0] if (name := _name(match)) is None else self._text(*values[name])

        pattern = _pattern(path)
        whole = pattern.fullmatch(value)
        if whole and (name := _name(whole)) is not None and not self._is_text(path):
            return values[name][0]
        return pattern.sub(text, value)

    def _is_text(self, path: DataPath) -> bool:
        """Return True if a field holds text, so that a number of the matrix is inserted as it is written."""
        if path not in self._are_texts:
            self._are_texts[path] = schema.type_at(path) == "string"
        return self._are_texts[path]

    def _text(self, value: Any, path: DataPath) -> str:
        """Return a value as the user wrote it: 12.10, not 12.1."""
        if isinstance(value, str):
            return value
        if path not in self._written:
            node = self.document.node(path)
            is_word = node is not None and isinstance(node.value, str)
            self._written[path] = node.value if node is not None and is_word else str(value)
        return self._written[path]


def _pattern(path: DataPath) -> re.Pattern[str]:
    return _IN_NAME if path[0] in ENDPOINT.name_fields else _REFERENCE


def _name(match: re.Match[str]) -> str | None:
    """Return the name in a reference to the matrix, or None for the escape `$${`."""
    return next((group for group in match.groups() if group is not None), None)


def _texts(value: Any, path: DataPath) -> Iterator[tuple[DataPath, str]]:
    """Yield each text in a value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))
