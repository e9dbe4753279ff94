"""Expands an item with `matrix` to one item for each combination of its values.

It happens when a file is read, before defaults and overlays are merged and references are resolved. So
`${env:TOKEN_${matrix.model}}` is a reference, and the values may be references too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final

from reconciler.config.matrix.template import Template
from reconciler.config.matrix.values import Choice, Choices, MatrixReader
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.values import DataPath
from reconciler.yamlfile.document import Document
from reconciler.yamlfile.scalars import truncated

MAX_COMBINATIONS: Final = 10_000
"""Combinations of one item, with those that are excluded. Accounts have far fewer endpoints."""

MAX_SIZE: Final = 100_000_000
"""The size of all items of a run that `matrix` gives, as `Template.size` counts."""


@dataclass(frozen=True, slots=True)
class ExpandedItem:
    """The item of one combination, and the combination as text, such as `region=us, model=llama`."""

    data: dict[str, Any]
    combination: str


@dataclass(slots=True)
class Expansion:
    """The expansion of the items of a run; `size` is that of all items so far."""

    size: int = 0

    def expand(
        self, document: Document, path: DataPath, item: Mapping[str, Any], problems: list[Problem]
    ) -> Iterator[ExpandedItem]:
        """Yield the items of the matrix of the item at `path`. Add the problems of an invalid matrix."""
        reader = MatrixReader(document, path)
        choices = reader.choices(item["matrix"])
        if not reader.problems:
            fields = {key: value for key, value in item.items() if key != "matrix"}
            template = Template(document, path, fields)
            excluded = reader.excluded(item["matrix"].get("exclude"), choices)
            reader.problems += template.problems(choices)
            self._check_size(template, choices, reader)
            if not reader.problems:
                yield from _items(template, _combinations(choices, excluded, reader), reader)
        problems += reader.problems

    def _check_size(self, template: Template, choices: Choices, reader: MatrixReader) -> None:
        """Report too many combinations, or too large ones, before any of them is made."""
        count = math.prod(map(len, choices.values()))
        self.size += count * template.size(choices)
        if count > MAX_COMBINATIONS:
            what = f"`matrix` has {count:,} combinations, and at most {MAX_COMBINATIONS:,} are allowed"
            reader.report((), "too-many-combinations", what, "split the item into several ones")
        elif self.size > MAX_SIZE:
            what = "the combinations of `matrix` are too large, together with those of the items above"
            reader.report((), "too-many-combinations", what, "shorten the texts, or remove combinations")


def _combinations(
    choices: Choices, excluded: Sequence[Mapping[str, Any]], reader: MatrixReader
) -> Iterator[tuple[Choice, ...]]:
    """Yield the combinations that are not excluded, in the order of the keys and of their values."""
    entries = [
        [(place, {id(choice) for choice in choices[key] if choice.matches(entry[key])})
         for place, key in enumerate(choices) if key in entry]
        for entry in excluded
    ]  # fmt: skip
    has_any = False
    for combination in product(*choices.values()):
        if not any(all(id(combination[place]) in ids for place, ids in entry) for entry in entries):
            has_any = True
            yield combination
    if not has_any:
        what = "`exclude` leaves no combination"
        reader.report(("exclude",), "empty-matrix", what, "remove some of its entries, or remove this item")


def _items(
    template: Template, combinations: Iterator[Sequence[Choice]], reader: MatrixReader
) -> Iterator[ExpandedItem]:
    """Yield the item of each combination, up to a name that another combination has."""
    names: dict[str, str] = {}
    for combination in combinations:
        text = template.shown(combination)
        data = template.filled(combination)
        first = names.setdefault(data["endpoint"], text)
        if first is not text:
            reader.problems.append(
                Problem(
                    code="duplicate-endpoint",
                    summary=f"two combinations of `matrix` give the name `{truncated(data['endpoint'])}`",
                    detail=f"They are {first}   and   {text}.",
                    hint="write each key of `matrix` as `{KEY}` in `endpoint`",
                    place=template.place("endpoint"),
                )
            )
            return
        yield ExpandedItem(data, text)
