"""The fields of an item with `matrix`, in which references to its values are replaced."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from reconciler.config import schema
from reconciler.config.matrix.values import Choice, Choices
from reconciler.config.vocabulary import suggest_name
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.problem import MAX_LISTED, Place, Problem
from reconciler.model.values import DataPath
from reconciler.yamlfile.document import Document
from reconciler.yamlfile.scalars import truncated

_REFERENCE: Final = re.compile(r"\$\$\{|\$\{matrix\.([^{}]*)\}")
_IN_NAME: Final = re.compile(r"\$\$\{|\$\{matrix\.([^{}]*)\}|(?<!\$)\{([^{}]*)\}")
"""In names, `{model}` is short for `${matrix.model}`."""

_NODE_SIZE: Final = 50
"""The size of a value besides its characters, about the bytes of a small object."""


class Template:
    """The fields of the item at `path` without `matrix`."""

    def __init__(self, document: Document, path: DataPath, fields: Mapping[str, Any]) -> None:
        self._document = document
        self._path = path
        self._fields = fields
        self._written: dict[DataPath, str] = {}
        self._are_texts: dict[DataPath, bool] = {}

    def place(self, *path: str) -> Place | None:
        """Return the place of a field."""
        return self._document.place((*self._path, *path))

    def size(self, choices: Choices) -> int:
        """Return an upper limit of the size of one filled item, in characters, with 50 for each value."""
        longest: dict[str, int] = {}
        for values in choices.values():
            for choice in values:
                for name, value, path in choice.parts:
                    longest[name] = max(longest.get(name, 0), len(self._text(value, path)))
        total = _NODE_SIZE * (len(longest) + sum(1 for _ in _nodes(self._fields, ())))
        for path, text in self._texts():
            names = list(_names(path, text))
            total += len(text) + sum(longest.get(name, 0) for name in names) if names else 0
        return total

    def problems(self, choices: Choices) -> Iterator[Problem]:
        """Yield problems of references to unknown names, and of keys that no reference uses."""
        known = dict.fromkeys(name for values in choices.values() for name in _common_names(values))
        references = [(path, name) for path, text in self._texts() for name in _names(path, text)]
        unknown = ((path, name) for path, name in references if name not in known)
        for path, name in islice(unknown, MAX_LISTED):
            yield Problem(
                code="unknown-matrix-name",
                summary=f"`matrix` of this item has no `{truncated(name)}`",
                hint=_name_hint(name, known),
                place=self._place_of_name(path, name),
            )
        used = {name.partition(".")[0] for _, name in references}
        for key in choices:
            if key not in used:
                yield Problem(
                    code="unused-key",
                    summary=f"nothing uses `matrix.{key}`",
                    hint=f"write `{{{key}}}` in `endpoint`, or remove `{key}` from `matrix`",
                    place=self._document.place((*self._path, "matrix", key), key=True),
                )

    def filled(self, combination: Sequence[Choice]) -> dict[str, Any]:
        """Return the fields with the references replaced by the values of a combination."""
        values = {name: (value, path) for choice in combination for name, value, path in choice.parts}
        return {key: self._filled(value, (key,), values) for key, value in self._fields.items()}

    def shown(self, combination: Iterable[Choice]) -> str:
        """Return a combination as text with its values as written, such as `s=1.10, model=llama`."""
        parts = (next(choice.parts) for choice in combination)
        return ", ".join(f"{name}={truncated(self._text(value, path))}" for name, value, path in parts)

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
            node = self._document.node(path)
            is_word = node is not None and isinstance(node.value, str)
            self._written[path] = node.value if node is not None and is_word else str(value)
        return self._written[path]

    def _texts(self) -> Iterator[tuple[DataPath, str]]:
        """Yield each text that may have a reference, with its path."""
        return (
            (path, value)
            for path, value in _nodes(self._fields, ())
            if isinstance(value, str) and "{" in value
        )

    def _place_of_name(self, path: DataPath, name: str) -> Place | None:
        word = f"${{matrix.{name}}}"
        text = self._document.node((*self._path, *path))
        if text is not None and word not in str(text.value):
            word = f"{{{name}}}"
        return self._document.place_of_word((*self._path, *path), word)


def _nodes(value: Any, path: DataPath) -> Iterator[tuple[DataPath, Any]]:
    """Yield each value in a value, with its path."""
    yield path, value
    items: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for step, inner in items:
        yield from _nodes(inner, (*path, step))


def _pattern(path: DataPath) -> re.Pattern[str]:
    return _IN_NAME if path[0] in ENDPOINT.name_fields else _REFERENCE


def _names(path: DataPath, text: str) -> Iterator[str]:
    """Yield the name in each reference to the matrix in a text."""
    return (name for match in _pattern(path).finditer(text) if (name := _name(match)) is not None)


def _name(match: re.Match[str]) -> str | None:
    """Return the name in a reference to the matrix, or None for the escape `$${`."""
    return next((group for group in match.groups() if group is not None), None)


def _common_names(values: Sequence[Choice]) -> Iterator[str]:
    """Yield the names that all values of a key have."""
    first, *others = ([name for name, _, _ in choice.parts] for choice in values)
    common = set(first).intersection(*others)
    return (name for name in first if name in common)


def _name_hint(name: str, known: Mapping[str, object]) -> str:
    below = next((other for other in known if other.startswith(f"{name}.")), "")
    if meant := suggest_name(name, known) or below:
        return f"did you mean `{meant}`?"
    return f"known names: {', '.join(islice(known, 20))}" if known else "give each value the same names"
