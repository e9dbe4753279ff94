"""Merged items -> the desired endpoints: judged by the schema, by the rules of their kind, and by their spec.

What is at fault is told once, and what cannot be told because of it is left aside. All else is judged all the
same, so that one round of `validate` tells everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from reconciler.config import schema
from reconciler.config.endpoint_files import Declared
from reconciler.config.overlays import Layer, Layers, Null
from reconciler.config.references.interpolation import holds_references, resolved
from reconciler.config.references.resolver import Resolver
from reconciler.config.specs import Specs, unknown_spec, usable_spec
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.problem import MAX_LISTED, Problem
from reconciler.model.resource import Desired, Lifecycle, Spec, address
from reconciler.model.secrets import reveal
from reconciler.model.values import DataPath, has_path, without_paths
from reconciler.model.values import Path as WirePath

AT_ONCE: Final = 256
"""Endpoints (count) that are held against the schema by one call."""

EXPLAINED: Final = 10_000
"""Problems (count) after which an endpoint with errors is only named. To explain one takes a thousand times
what it takes to find it."""


def anybody(_name: str) -> bool:
    """The run concerns every endpoint."""
    return True


@dataclass(slots=True, kw_only=True)
class _Item:
    """One endpoint on its way: `item` may hold secrets, `bare` is what the schema judges.

    `doubtful` are paths whose values nobody can tell: what follows from them alone is no problem. No endpoint
    is made of an item that is not `sound`.
    """

    stack: Layers
    item: dict[str, Any]
    bare: dict[str, Any]
    sound: bool
    doubtful: Set[DataPath] = frozenset()
    unset: Sequence[DataPath] = ()


class Judge:
    """Judges items and collects their problems. `before` are the problems found earlier.

    Errors of an endpoint that is not concerned are passed over; where nothing can be made of it, its name is
    left.
    """

    def __init__(
        self,
        resolver: Resolver,
        specs: Specs,
        before: Sequence[Problem],
        concerns: Callable[[str], bool] = anybody,
    ) -> None:
        self.problems: list[Problem] = []
        self._resolver = resolver
        self._specs = specs
        self._concerns = concerns
        self._usable: dict[str, tuple[Spec | None, Sequence[Problem]]] = {}
        self._told: set[str] = set()  # the specs whose problems are among those collected
        self._taken = {problem.place for problem in before}
        self._base: tuple[Layer, ...] = ()
        self._doubtful: Set[DataPath] = frozenset()
        self._sound = True

    def desired(self, found: Declared) -> tuple[Desired, ...]:
        """The endpoints without errors.

        Takes what it has judged out of `found.items`: the two together are never whole in memory.
        """
        self._take_defaults(found.defaults)
        if found.is_partial:
            self._doubtful |= {*schema.paths_of_fields(), ("policy", "type"), ("policy", "value")}
        result: list[Desired] = []
        names = iter(tuple(found.items))
        while chunk := tuple(islice(names, AT_ONCE)):
            result += self.judged([Layers((*self._base, *found.items.pop(name))) for name in chunk])
        for layer in found.unnamed[:MAX_LISTED]:  # that each has no name is told already
            item = self._item(Layers((*self._base, layer)))
            item.sound, item.doubtful = False, {*item.doubtful, ("endpoint",)}
            self._desired(item, fits=False)
        return tuple(result)

    def judged(self, stacks: Sequence[Layers]) -> tuple[Desired, ...]:
        """The same of merged layers."""
        items = [self._item(stack) for stack in stacks]
        fit = schema.fits("endpoints", [item.bare for item in items], "mergedEndpoint", many=True)
        found = (
            self._desired(item, fits=fit or schema.fits("endpoints", item.bare, "mergedEndpoint"))
            for item in items
        )
        return tuple(desired for desired in found if desired is not None)

    def _take_defaults(self, defaults: Sequence[Layer]) -> None:
        """Tell what is wrong with the defaults, once, and lay them under all items without it."""
        stack = Layers(tuple(defaults))
        nulls: list[Null] = []
        merged = stack.merged(nulls)
        empty = self._left_empty(nulls, None)
        faults = set(empty)
        if merged and not schema.fits("endpoints", merged, "defaults"):
            faults |= self._report(stack, merged, "defaults", empty)
        self._sound, self._doubtful = not faults, faults
        cut = {*faults, *(null.path for null in nulls)}
        self._base = tuple(
            Layer(layer.source, without_paths(layer.data, cut), layer.spot) if cut else layer
            for layer in defaults
        )

    def _item(self, stack: Layers) -> _Item:
        nulls: list[Null] = []
        merged = stack.merged(nulls)
        empty = self._left_empty(nulls, _address(merged))
        doubtful = {path for path in (*self._doubtful, *empty) if not has_path(merged, path)}
        sound = self._sound and not empty
        if not holds_references(merged):
            return _Item(stack=stack, item=merged, bare=merged, sound=sound, doubtful=doubtful)
        found = resolved(merged, stack, self._resolver)
        self._taken |= {*found.places, *(problem.place for problem in found.problems)}
        self.problems += (replace(problem, address=_address(merged)) for problem in found.problems)
        return _Item(
            stack=stack,
            item=found.item,
            bare=reveal(found.item),
            sound=sound and not any(problem.is_error for problem in found.problems),
            doubtful=doubtful,
            unset=found.unset,
        )

    def _desired(self, item: _Item, *, fits: bool) -> Desired | None:
        declared, doubtful = item.item, item.doubtful
        if not fits and len(self.problems) >= EXPLAINED:
            self.problems.append(_unexplained(item))
            return None if self._is_concerned(declared) else _by_name(item)
        if not fits:
            faults = self._report(item.stack, item.bare, "mergedEndpoint", doubtful)
            declared, doubtful = without_paths(declared, faults), {*doubtful, *faults}
        spec = self._spec(declared, item.stack)
        desired, problems = ENDPOINT.from_yaml(
            declared,
            spec if fits else None,
            item.stack.spots.place,
            frozenset(str(path[0]) for path in doubtful),
        )
        self.problems += filter(self._is_news, problems)
        if desired is None or not item.sound:
            return None if self._is_concerned(declared) else _by_name(item)
        return replace(desired, unset=_unset_paths(item.unset)) if item.unset else desired

    def _left_empty(self, nulls: Sequence[Null], address: str | None) -> Set[DataPath]:
        """Report the nulls that should remove something and have nothing to remove; their paths."""
        if not nulls:
            return frozenset()
        from reconciler.config.null_values import left_empty

        found = {null.path: problem for null in nulls if (problem := left_empty(null)) is not None}
        self._taken |= {problem.place for problem in found.values()}
        self.problems += (replace(problem, address=address) for problem in found.values())
        return found.keys()

    def _report(self, where: Layers, data: Any, definition: str, doubtful: Set[DataPath]) -> set[DataPath]:
        """Report what the schema finds. The paths of what is at fault, and of what is meant by it."""
        from reconciler.config.schema_errors import reports, unsound

        errors = tuple(schema.errors("endpoints", data, definition))
        found = reports(errors, where, address=_address(data), doubtful=doubtful)
        self.problems += filter(self._is_news, found)
        return unsound(errors)

    def _is_news(self, problem: Problem) -> bool:
        """An error at a place that has one already would only say it again in other words."""
        return not problem.is_error or problem.place not in self._taken

    def _spec(self, declared: dict[str, Any], where: Layers) -> Spec | None:
        name, specs = declared.get("specName"), self._specs
        if not isinstance(name, str):
            return None
        if name not in specs.entries:
            problem = unknown_spec(name, specs.entries, where.place(("specName",)), specs.file)
            if specs.are_all_known and self._is_news(problem):
                self.problems.append(replace(problem, address=_address(declared)))
            return None
        if name not in self._usable:
            self._usable[name] = usable_spec(specs.entries[name], self._resolver)
        spec, problems = self._usable[name]
        if problems and name not in self._told and self._is_concerned(declared):
            self._told.add(name)
            self.problems += problems
        return spec

    def _is_concerned(self, declared: dict[str, Any]) -> bool:
        name = declared.get("endpoint")
        return not isinstance(name, str) or self._concerns(name)


def _unexplained(item: _Item) -> Problem:
    return Problem(
        code="more-problems",
        summary="this endpoint has errors that are not explained, for there are too many before it",
        hint="correct those that are explained, then run it again",
        place=item.stack.place(),
        address=_address(item.item),
    )


def _by_name(item: _Item) -> Desired:
    """What is left of an endpoint with errors that is not concerned: that it is declared, and protected."""
    former, lifecycle = item.bare.get("renamedFrom"), item.bare.get("lifecycle")
    is_protected = isinstance(lifecycle, dict) and lifecycle.get("preventDestroy") is True
    return Desired(
        name=item.bare["endpoint"],
        app_name="",
        fields={},
        lifecycle=Lifecycle(prevent_destroy=is_protected),
        renamed_from=former if isinstance(former, str) else None,
        find_place=lambda: item.stack.place(("endpoint",)),
    )


def _address(declared: dict[str, Any]) -> str | None:
    name = declared.get("endpoint")
    return address(name) if isinstance(name, str) else None


def _unset_paths(found: Sequence[DataPath]) -> tuple[WirePath, ...]:
    """The wire paths of the fields that hold a reference that is unset."""
    names = (f"env.{steps[1]}" if steps[0] == "env" else str(steps[0]) for steps in found)
    return tuple(dict.fromkeys(path for name in names for path in ENDPOINT.table.wire_paths(name)))
