"""Resolves the references of one merged endpoint, and checks that its fields allow them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import partial
from typing import Any

from reconciler.config import schema
from reconciler.config.overlays import Positions
from reconciler.config.references.resolved import helper_faults
from reconciler.config.references.resolver import Resolver, coerce
from reconciler.config.references.syntax import Fault, is_single_reference, place_faults, scan
from reconciler.config.vocabulary import TYPE_NAMES, path_text
from reconciler.kinds.base import Kind
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place, Problem
from reconciler.model.values import DataPath


def has_references(value: Any) -> bool:
    """Return True if any text in a value contains `${`."""
    if value.__class__ is str:
        return "${" in value
    if value.__class__ is dict:
        value = value.values()
    elif value.__class__ is not list:
        return False
    for item in value:
        if item.__class__ is str:  # inlined to save a call for most values
            if "${" in item:
                return True
        elif (item.__class__ is dict or item.__class__ is list) and has_references(item):
            return True
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedItem:
    """An item with its references resolved, except those with problems, which stay as they are written.

    `unset` are the paths of unset references in a lenient run; `places` are those of values with problems.
    """

    item: dict[str, Any]
    problems: list[Problem]
    places: list[Place | None]
    unset: list[DataPath]


def interpolate(
    item: Mapping[str, Any], positions: Positions, resolver: Resolver, kind: Kind = ENDPOINT
) -> ResolvedItem:
    """Return the item with its references resolved, and the problems of the references."""
    interpolator = _Interpolator(positions, resolver, kind)
    data = {key: interpolator.value(value, (key,)) for key, value in item.items()}
    return ResolvedItem(
        item=data,
        problems=interpolator.problems,
        places=interpolator.places,
        unset=interpolator.unset,
    )


@dataclass(frozen=True, slots=True)
class _Interpolator:
    positions: Positions
    resolver: Resolver
    kind: Kind
    problems: list[Problem] = field(default_factory=list)
    places: list[Place | None] = field(default_factory=list)
    unset: list[DataPath] = field(default_factory=list)

    def value(self, value: Any, path: DataPath) -> Any:
        if not has_references(value):
            return value
        if value.__class__ is dict:
            return {key: self.value(item, (*path, key)) for key, item in value.items()}
        if value.__class__ is list:
            return [self.value(item, (*path, index)) for index, item in enumerate(value)]
        return self._text(value, path)

    def _text(self, text: str, path: DataPath) -> Any:
        if path[0] in self.kind.name_fields:
            self._report(
                path,
                Problem(
                    code="reference-not-allowed",
                    summary=f"`{path[0]}` cannot contain a reference",
                    hint="write the name itself: it must be the same in every environment",
                ),
            )
            return text
        if path[0] in self.kind.inner_fields:
            return text
        if path[0] in self.kind.secret_fields:
            resolved = self.resolver.resolve(text)
            self._report_faults(path, text, resolved.faults)
            return resolved.secret
        can_be_masked = path[0] in self.kind.maskable_fields or (path[0] == "storage" and path[-1] == "id")
        kind = schema.type_at(path, self.kind.schema_definition) if self.kind.schema_definition else "string"
        if "${exec:" in text and (faults := helper_faults(text)) and not (can_be_masked and kind == "string"):
            self._report_faults(path, text, faults)
            return text
        if kind != "string" and not is_single_reference(text):
            self._report_faults(path, text, [part for part in scan(text) if isinstance(part, Fault)])
            return text
        resolved = self.resolver.resolve(text)
        faults = resolved.faults or (() if can_be_masked else resolved.unmaskable(kind))
        self._report_faults(path, text, faults)
        if faults:
            return text
        if kind == "string":
            return resolved.maskable
        value = coerce(resolved.value, kind)
        if value is None:
            summary = f"`{path_text(path)}` must be {TYPE_NAMES[kind]}, and the value of {text} is not"
            self._report(
                path,
                Problem(code="bad-reference", summary=summary, hint="correct the value behind the reference"),
            )
            return text
        return value

    def _report_faults(self, path: DataPath, text: str, faults: Sequence[Fault]) -> None:
        """Report the faults of the references in a text, each with its place."""
        if not faults:
            return
        self.problems.extend(place_faults(faults, text, partial(self.positions.place_of_word, path)))
        self.places.append(self.positions.place(path))
        if not any(fault.problem.is_error for fault in faults):
            self.unset.append(path)

    def _report(self, path: DataPath, problem: Problem) -> None:
        place = self.positions.place(path)
        self.problems.append(problem.at(place))
        self.places.append(place)
