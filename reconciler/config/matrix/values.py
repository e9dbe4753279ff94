"""The values of the `matrix` of an item, and which of their combinations are excluded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.config.vocabulary import suggest_name
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.values import DataPath
from reconciler.yamlfile.document import Document
from reconciler.yamlfile.scalars import truncated, type_name

MAX_VALUES: Final = 10_000
"""Values of one key, as many as an item may have combinations."""

MAX_EXCLUDED: Final = 1_000
"""Entries of `exclude`. Each is compared with each combination."""

_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_EXAMPLE: Final = "matrix: {region: [us, eu], model: [llama, qwen]}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a key of `matrix`, which is a scalar or a mapping of scalars; `path` leads to it."""

    value: Any
    path: DataPath

    @property
    def parts(self) -> Iterator[tuple[str, Any, DataPath]]:
        """Yield each name that references use, such as `model` or `model.image`, with its value and path."""
        key = str(self.path[-2])
        if isinstance(self.value, dict):
            for name, value in self.value.items():
                yield f"{key}.{name}", value, (*self.path, name)
        else:
            yield key, self.value, self.path

    def matches(self, wanted: Any) -> bool:
        """Return True if an entry of `exclude` with that value is about this one."""
        if isinstance(self.value, dict) and isinstance(wanted, dict):
            return all(_is_same(self.value.get(key), value) for key, value in wanted.items())
        return _is_same(self.value, wanted)


Choices = Mapping[str, Sequence[Choice]]
"""The values of each key."""


class MatrixReader:
    """Reads the matrix of the item at `path`, and collects its problems."""

    def __init__(self, document: Document, path: DataPath) -> None:
        self._document = document
        self._path: DataPath = (*path, "matrix")
        self.problems: list[Problem] = []

    def choices(self, matrix: Any) -> Choices:
        """Return the valid values of each key."""
        if isinstance(matrix, dict) and matrix.keys() - {"exclude"}:
            return {key: list(self._values(key, matrix[key])) for key in matrix if key != "exclude"}
        actual = f"must be a mapping of lists, not {type_name(matrix)}" if matrix else "is empty"
        self.report((), "wrong-type", f"`matrix` {actual}", f"write for example `{_EXAMPLE}`")
        return {}

    def excluded(self, entries: Any, choices: Choices) -> list[Mapping[str, Any]]:
        """Return the entries of `exclude`."""
        if entries is None:
            return []
        example = ", ".join(f"{key}: ..." for key in choices)
        if not isinstance(entries, list) or not all(isinstance(entry, dict) and entry for entry in entries):
            what = "`exclude` must be a list of mappings"
            self.report(("exclude",), "wrong-type", what, f"write for example `exclude: [{{{example}}}]`")
            return []
        if len(entries) > MAX_EXCLUDED:
            what = f"`exclude` has {len(entries):,} entries, and at most {MAX_EXCLUDED:,} are allowed"
            self.report(("exclude",), "too-many-combinations", what, "split the item into several ones")
            return []
        for index, entry in enumerate(entries):
            for key, value in entry.items():
                self._check_excluded(("exclude", index, key), value, choices)
        return entries

    def report(self, path: DataPath, code: str, summary: str, hint: str, *, key: bool = False) -> None:
        """Add a problem at a path below `matrix`, or at the key of that path."""
        place = self._document.place((*self._path, *path), key=key)
        self.problems.append(Problem(code=code, summary=summary, hint=hint, place=place))

    def _values(self, key: str, values: Any) -> Iterator[Choice]:
        if key == "include" or not _KEY.match(key):
            what = f"`matrix` cannot have the key `{truncated(key)}`"
            hint = (
                "add another item to `endpoints`" if key == "include" else "use letters, digits, `_` and `-`"
            )
            self.report((key,), "unknown-key", what, hint, key=True)
            return
        if not isinstance(values, list) or not values:
            actual = f"must be a list, not {type_name(values)}" if values else "is empty"
            hint = f"write for example `{key}: [one, two]`"
            self.report((key,), "wrong-type", f"`matrix.{key}` {actual}", hint)
            return
        if len(values) > MAX_VALUES:
            what = f"`matrix.{key}` has {len(values):,} values, and at most {MAX_VALUES:,} are allowed"
            self.report((key,), "too-many-combinations", what, "split the item into several ones")
            return
        seen: set[str] = set()
        for index, value in enumerate(values):
            path = (key, index)
            if not _is_usable(value):
                what = f"a value of `matrix.{key}` must be text, a number, or a mapping of these"
                self.report(path, "wrong-type", what, f"it is {type_name(value)}; write text")
            elif repr(value) in seen:
                what = f"`matrix.{key}` has a value twice: {truncated(str(value))}"
                self.report(path, "duplicate-value", what, "remove one of the two")
            else:
                seen.add(repr(value))
                yield Choice(value, (*self._path, *path))

    def _check_excluded(self, path: DataPath, value: Any, choices: Choices) -> None:
        key = str(path[-1])
        if key not in choices:
            meant = suggest_name(key, choices)
            hint = f"did you mean `{meant}`?" if meant else f"known keys: {', '.join(choices)}"
            self.report(path, "unknown-key", f"`matrix` has no key `{truncated(key)}`", hint, key=True)
        elif not any(choice.matches(value) for choice in choices[key]):
            what = f"`matrix.{key}` has no value {truncated(str(value))}, so this excludes nothing"
            self.report(path, "excludes-nothing", what, "correct the value, or remove this entry")


def _is_usable(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(_KEY.match(key) and _is_scalar(inner) for key, inner in value.items())
    return _is_scalar(value)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _is_same(one: Any, other: Any) -> bool:
    """Return True for equal values of one type: True is not 1."""
    return type(one) is type(other) and bool(one == other)
