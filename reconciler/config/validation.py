"""Validates merged endpoints against the schema, the rules of their kind and their spec.

Each fault is reported once, and consequences of a fault are not reported. Everything else is still checked,
so that one run of `validate` reports all errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from reconciler.config import schema
from reconciler.config.endpoint_files import EndpointFiles
from reconciler.config.overlays import Layer, LayerStack, Positions, UnusedNull
from reconciler.config.references.interpolation import has_references, interpolate
from reconciler.config.references.resolver import Resolver
from reconciler.config.specs import Specs, unknown_spec_problem, usable_spec
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import MAX_LISTED, Problem
from reconciler.model.resource import Desired, Lifecycle, Spec, address
from reconciler.model.secrets import reveal
from reconciler.model.settings import DECLARED_NAMES, NameTemplate
from reconciler.model.values import DataPath, has_path, without_paths
from reconciler.model.values import Path as WirePath

BATCH_SIZE: Final = 256
"""Endpoints that one schema validation covers."""

MAX_EXPLAINED: Final = 10_000
"""Problems after which further endpoints with errors are only named. An explanation takes a thousand times as
long as the validation."""


_MATRIX_HINTS: Final = {
    "app-name": "add an `appName` for all combinations, of values that suit, such as `{model.id}` with"
    " `model: [{name: llama-3.1, id: llama-3-1}]`"
}
"""Hints that replace those about a single item, by the code of their problem."""


def every_endpoint(_name: str) -> bool:
    """Select every endpoint."""
    return True


@dataclass(slots=True, kw_only=True)
class _Item:
    """One endpoint during validation. `data` may contain secrets, `revealed` is what the schema validates.

    `unknown` are paths whose values are unknown because of reported errors; consequences of them are not
    reported. An item that is not `is_usable` gives no endpoint. `unset` are paths of unset references.
    """

    positions: Positions
    data: dict[str, Any]
    revealed: dict[str, Any]
    is_usable: bool
    unknown: Set[DataPath] = frozenset()
    unset: Sequence[DataPath] = ()


class EndpointValidator:
    """Validates endpoints and collects their problems. `reported` are problems that were found earlier.

    Errors of endpoints that are not selected do not stop the run; such an endpoint is reduced to its name.
    """

    def __init__(
        self,
        resolver: Resolver,
        specs: Specs,
        reported: Sequence[Problem],
        is_selected: Callable[[str], bool] = every_endpoint,
        names: NameTemplate = DECLARED_NAMES,
    ) -> None:
        self._names = names
        self.problems: list[Problem] = []
        self._resolver = resolver
        self._specs = specs
        self._is_selected_name = is_selected
        self._usable_specs: dict[str, tuple[Spec | None, Sequence[Problem]]] = {}
        self._reported_specs: set[str] = set()
        self._places = {problem.place for problem in reported}
        self._base: tuple[Layer, ...] = ()
        self._unknown: Set[DataPath] = frozenset()
        self._are_defaults_valid = True

    def validate(self, files: EndpointFiles) -> tuple[Desired, ...]:
        """Return the endpoints without errors.

        The items are removed from `files.items`, so that the input and the result are never both complete in
        memory.
        """
        self._set_defaults(files.defaults)
        if files.is_partial:
            self._unknown |= {*schema.paths_of_fields(), ("policy", "type"), ("policy", "value")}
        result: list[Desired] = []
        names = iter(tuple(files.items))
        while batch := tuple(islice(names, BATCH_SIZE)):
            stacks = [LayerStack((*self._base, *files.items.pop(name))) for name in batch]
            before = len(self.problems)
            result += self.validate_stacks(stacks)
            if files.expansion is not None and len(self.problems) > before:
                self._name_combinations(stacks, before)
        for layer in files.unnamed[:MAX_LISTED]:  # the missing name is reported already
            item = self._item(LayerStack((*self._base, layer)))
            item.is_usable, item.unknown = False, {*item.unknown, ("endpoint",)}
            self._desired(item, is_valid=False)
        return tuple(result)

    def _name_combinations(self, stacks: Sequence[LayerStack], start: int) -> None:
        """Add the combination to the problems, from index `start` on, of items that `matrix` has expanded."""
        combinations = {
            address(self._names.rendered(layer.data["endpoint"])): layer.combination
            for stack in stacks
            for layer in stack.layers
            if layer.combination
        }
        for index, problem in enumerate(self.problems[start:], start):
            if problem.address in combinations:
                which = f"The combination of `matrix` is {combinations[problem.address]}."
                detail = "\n".join(filter(None, (problem.detail, which)))
                hint = _MATRIX_HINTS.get(problem.code, problem.hint)
                self.problems[index] = replace(problem, detail=detail, hint=hint)

    def validate_stacks(self, stacks: Sequence[LayerStack]) -> tuple[Desired, ...]:
        """Return the endpoints without errors that the stacks declare."""
        items = [self._item(stack) for stack in stacks]
        are_valid = schema.is_valid(
            "endpoints", [item.revealed for item in items], "mergedEndpoint", many=True
        )
        endpoints = (
            self._desired(
                item, is_valid=are_valid or schema.is_valid("endpoints", item.revealed, "mergedEndpoint")
            )
            for item in items
        )
        return tuple(desired for desired in endpoints if desired is not None)

    def _set_defaults(self, defaults: Sequence[Layer]) -> None:
        """Report the problems of the defaults, and use the valid parts of them below all items."""
        stack = LayerStack(tuple(defaults))
        nulls: list[UnusedNull] = []
        merged = stack.merged(nulls)
        empty = self._report_nulls(nulls, None)
        faults = set(empty)
        if merged and not schema.is_valid("endpoints", merged, "defaults"):
            faults |= self._report_schema_errors(stack.positions, merged, "defaults", empty)
        self._are_defaults_valid, self._unknown = not faults, faults
        excluded = {*faults, *(null.path for null in nulls)}
        self._base = tuple(
            Layer(layer.source, without_paths(layer.data, excluded), layer.path) if excluded else layer
            for layer in defaults
        )

    def _item(self, stack: LayerStack) -> _Item:
        nulls: list[UnusedNull] = []
        merged = stack.merged(nulls)
        if self._names.changes_names:
            _render_names(merged, self._names)
        empty = self._report_nulls(nulls, _address(merged))
        unknown = {path for path in (*self._unknown, *empty) if not has_path(merged, path)}
        is_usable = self._are_defaults_valid and not empty
        positions = stack.positions
        if not has_references(merged):
            return _Item(
                positions=positions, data=merged, revealed=merged, is_usable=is_usable, unknown=unknown
            )
        resolver = self._resolver if self._is_selected(merged) else self._resolver.without_helpers
        resolved = interpolate(merged, positions, resolver)
        self._places |= {*resolved.places, *(problem.place for problem in resolved.problems)}
        self.problems += (replace(problem, address=_address(merged)) for problem in resolved.problems)
        return _Item(
            positions=positions,
            data=resolved.item,
            revealed=reveal(resolved.item),
            is_usable=is_usable and not any(problem.is_error for problem in resolved.problems),
            unknown=unknown,
            unset=resolved.unset,
        )

    def _desired(self, item: _Item, *, is_valid: bool) -> Desired | None:
        declared, unknown = item.data, item.unknown
        if not is_valid and len(self.problems) >= MAX_EXPLAINED:
            self.problems.append(_unexplained(item))
            return None if self._is_selected(declared) else _name_only(item)
        if not is_valid:
            before = len(self.problems)
            faults = self._report_schema_errors(item.positions, item.revealed, "mergedEndpoint", unknown)
            self.problems[before:] = self._about_names(item, self.problems[before:])
            declared, unknown = without_paths(declared, faults), {*unknown, *faults}
        spec = self._spec(declared, item.positions)
        desired, problems = ENDPOINT.from_yaml(
            declared,
            spec if is_valid else None,
            item.positions.place,
            frozenset(str(path[0]) for path in (*unknown, *item.unset)),
        )
        self.problems += self._about_names(item, filter(self._is_new, problems))
        if desired is None or not item.is_usable:
            return None if self._is_selected(declared) else _name_only(item)
        return replace(desired, unset=_unset_paths(item.unset)) if item.unset else desired

    def _about_names(self, item: _Item, problems: Iterable[Problem]) -> Iterable[Problem]:
        """Say in problems of names which names the environment gives."""
        if not self._names.changes_names:
            return problems
        return [self._about_name(item, problem) for problem in problems]

    def _about_name(self, item: _Item, problem: Problem) -> Problem:
        for key in ("endpoint", "appName"):
            if key in item.revealed and problem.place == item.positions.place((key,)):
                detail = (
                    f"The environment makes it `{item.revealed[key]}`, by its `name: {self._names.text}`."
                )
                hint = problem.hint
                if problem.code == "app-name":
                    hint = f"declare an `appName` that suits `{self._names.text}` (it is fixed for the"
                    hint += " endpoint's life)"
                return replace(problem, detail=detail, hint=hint)
        return problem

    def _report_nulls(self, nulls: Sequence[UnusedNull], address: str | None) -> Set[DataPath]:
        """Report nulls that remove nothing, and return their paths."""
        if not nulls:
            return frozenset()
        from reconciler.config.null_values import empty_value_problem

        problems = {
            null.path: problem for null in nulls if (problem := empty_value_problem(null)) is not None
        }
        self._places |= {problem.place for problem in problems.values()}
        self.problems += (replace(problem, address=address) for problem in problems.values())
        return problems.keys()

    def _report_schema_errors(
        self, positions: Positions, data: Any, definition: str, unknown: Set[DataPath]
    ) -> set[DataPath]:
        """Report schema errors, and return the paths of invalid values and of keys that were misspelled."""
        from reconciler.config.schema_errors import invalid_paths, schema_problems

        errors = tuple(schema.validation_errors("endpoints", data, definition))
        problems = schema_problems(errors, positions, address=_address(data), unknown=unknown)
        self.problems += filter(self._is_new, problems)
        return invalid_paths(errors)

    def _is_new(self, problem: Problem) -> bool:
        """Return False for a second error at the same place, which would repeat the first one."""
        return not problem.is_error or problem.place not in self._places

    def _spec(self, declared: dict[str, Any], positions: Positions) -> Spec | None:
        name, specs = declared.get("specName"), self._specs
        if not isinstance(name, str):
            return None
        if name not in specs.entries:
            problem = unknown_spec_problem(name, specs.entries, positions.place(("specName",)), specs.file)
            if specs.are_all_known and self._is_new(problem):
                self.problems.append(replace(problem, address=_address(declared)))
            return None
        if name not in self._usable_specs:
            self._usable_specs[name] = usable_spec(specs.entries[name], self._resolver)
        spec, problems = self._usable_specs[name]
        if problems and name not in self._reported_specs and self._is_selected(declared):
            self._reported_specs.add(name)
            self.problems += problems
        return spec

    def _is_selected(self, declared: dict[str, Any]) -> bool:
        name = declared.get("endpoint")
        return not isinstance(name, str) or self._is_selected_name(name)


def _render_names(declared: dict[str, Any], names: NameTemplate) -> None:
    """Replace the declared names by those in the account. An item without appName gets that of its name."""
    for key in ("endpoint", "appName", "renamedFrom"):
        if isinstance(declared.get(key), str):
            declared[key] = names.rendered(declared[key])


def _unexplained(item: _Item) -> Problem:
    return Problem(
        code="more-problems",
        summary="this endpoint has errors, which are not explained because there are too many others",
        hint="correct the explained errors, then run the command again",
        place=item.positions.place(),
        address=_address(item.data),
    )


def _name_only(item: _Item) -> Desired:
    """Return an invalid endpoint that is not selected, reduced to its name and its protection."""
    former, lifecycle = item.revealed.get("renamedFrom"), item.revealed.get("lifecycle")
    is_protected = isinstance(lifecycle, dict) and lifecycle.get("preventDestroy") is True
    return Desired(
        name=item.revealed["endpoint"],
        app_name="",
        fields={},
        lifecycle=Lifecycle(prevent_destroy=is_protected),
        renamed_from=former if isinstance(former, str) else None,
        find_place=lambda _path: item.positions.place(("endpoint",)),
    )


def _address(declared: dict[str, Any]) -> str | None:
    name = declared.get("endpoint")
    return address(name) if isinstance(name, str) else None


def _unset_paths(paths: Sequence[DataPath]) -> tuple[WirePath, ...]:
    """Return the wire paths of fields that contain unset references."""
    names = (f"env.{path[1]}" if path[0] == "env" else str(path[0]) for path in paths)
    return tuple(dict.fromkeys(wire_path for name in names for wire_path in ENDPOINT.table.wire_paths(name)))
