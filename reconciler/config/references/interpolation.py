"""References inside of one merged endpoint: where one may stand, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.config import schema
from reconciler.config.overlays import Layers
from reconciler.config.references.resolver import Resolver, coerce
from reconciler.config.references.syntax import Fault, few, scan, whole
from reconciler.config.vocabulary import WANTED, spelled
from reconciler.model.problem import Place, Problem
from reconciler.model.values import DataPath

REFUSED: Final = frozenset({"endpoint", "appName", "renamedFrom", "specName"})
"""What names things must read the same for everybody and on every day."""

SECRET: Final = frozenset({"env", "command"})

MASKABLE: Final = frozenset({"image", "imageAuthId", "healthPath"})
"""Text that is neither a key nor one of a few words, so a mask can stand for it; so is a storage's ID."""


def holds_references(value: Any) -> bool:
    """Whether `${` stands anywhere in the text of a value."""
    if value.__class__ is str:
        return "${" in value
    if value.__class__ is dict:
        value = value.values()
    elif value.__class__ is not list:
        return False
    for item in value:
        if item.__class__ is str:  # here, to save a call for most of a file
            if "${" in item:
                return True
        elif (item.__class__ is dict or item.__class__ is list) and holds_references(item):
            return True
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedItem:
    """The item with its references replaced. What could not be replaced stays as it was written.

    `unset` are the paths of references that may be unset in this run, and are; `places` those of the values
    with a problem in them.
    """

    item: dict[str, Any]
    problems: list[Problem]
    places: list[Place | None]
    unset: list[DataPath]


def resolved(item: Mapping[str, Any], where: Layers, resolver: Resolver) -> ResolvedItem:
    walk = _Walk(where, resolver)
    found = {key: walk.value(value, (key,)) for key, value in item.items()}
    return ResolvedItem(item=found, problems=walk.problems, places=walk.places, unset=walk.unset)


@dataclass(frozen=True, slots=True)
class _Walk:
    where: Layers
    resolver: Resolver
    problems: list[Problem] = field(default_factory=list)
    places: list[Place | None] = field(default_factory=list)
    unset: list[DataPath] = field(default_factory=list)

    def value(self, value: Any, path: DataPath) -> Any:
        match value:
            case dict():
                return {key: self.value(item, (*path, key)) for key, item in value.items()}
            case list():
                return [self.value(item, (*path, index)) for index, item in enumerate(value)]
            case str() if "${" in value:
                return self._text(value, path)
            case _:
                return value

    def _text(self, text: str, path: DataPath) -> Any:
        if path[0] in REFUSED:
            self._report(
                path,
                Problem(
                    code="reference-not-allowed",
                    summary=f"`{path[0]}` cannot hold a reference",
                    hint="write the name itself: it must be the same in every environment",
                ),
            )
            return text
        if path[0] in SECRET:
            found = self.resolver.resolve(text)
            self._blame(path, text, found.faults)
            return found.secret
        kind = schema.type_at(path)
        if kind != "string" and not whole(text):
            self._blame(path, text, [part for part in scan(text) if isinstance(part, Fault)])
            return text
        found = self.resolver.resolve(text)
        can_be_masked = path[0] in MASKABLE or (path[0] == "storage" and path[-1] == "id")
        faults = found.faults or (() if can_be_masked else found.unmaskable(kind))
        self._blame(path, text, faults)
        if faults:
            return text
        if kind == "string":
            return found.maskable
        value = coerce(found.value, kind)
        if value is None:
            summary = f"`{spelled(path)}` must be {WANTED[kind]}, and what {text} says is not"
            self._report(
                path,
                Problem(code="bad-reference", summary=summary, hint="correct the value behind the reference"),
            )
            return text
        return value

    def _blame(self, path: DataPath, text: str, faults: Sequence[Fault]) -> None:
        """Report what is wrong with the references of a text, each in its place."""
        for fault in few(faults):
            place = self.where.place_of(path, fault.text, text.count(fault.text, 0, fault.start))
            self.problems.append(fault.problem.at(place))
        if faults:
            self.places.append(self.where.place(path))
            if not any(fault.problem.is_error for fault in faults):
                self.unset.append(path)

    def _report(self, path: DataPath, problem: Problem) -> None:
        place = self.where.place(path)
        self.problems.append(problem.at(place))
        self.places.append(place)
