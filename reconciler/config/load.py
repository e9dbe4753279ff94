"""A directory and an environment -> the desired endpoints, and every problem on the way at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from reconciler.config import schema
from reconciler.config.files import NO_TEXTS, Texts, absolute, first_of, groups, shown
from reconciler.config.items import declared
from reconciler.config.layers import ByHand, Layer, Layers
from reconciler.config.references import Resolver
from reconciler.config.resolving import holds_references, resolved
from reconciler.config.settings import CONFIG_FILES, settings_of
from reconciler.config.source import collector_paused, parse, read
from reconciler.config.specs import SpecEntry, entries, unknown_spec, usable_spec
from reconciler.config.wording import Steps
from reconciler.model.problem import Problem
from reconciler.model.resource import Desired, Removed, Spec, address
from reconciler.model.settings import Settings
from reconciler.model.values import Path as WirePath
from reconciler.model.values import reveal

AT_ONCE: Final = 256
"""Endpoints (count) that are held against the schema by one call."""

NO_ENDPOINTS: Final = Problem(
    code="no-endpoints",
    summary="no endpoints.yaml found here, and no endpoints/*.yaml",
    hint="reconciler init   writes one; or name a file with -f FILE, or a directory with -C DIR",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What the files say. `desired` is in file order and lacks the endpoints that have errors.

    `read` are all files that were read for it; what `${file:PATH}` names is none of them.
    """

    settings: Settings
    desired: tuple[Desired, ...]
    specs: Mapping[str, SpecEntry]
    problems: tuple[Problem, ...]
    endpoint_files: tuple[str, ...]
    found_endpoint_file: bool
    removed: tuple[Removed, ...] = ()
    read: tuple[Path, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.is_error)


def load_settings(
    root: Path, *, environ: Mapping[str, str], lenient: bool = False
) -> tuple[Settings, tuple[Problem, ...]]:
    """The settings alone, for commands that need no endpoint file."""
    return settings_of(root, Resolver(root, environ, lenient))


def load_specs(
    root: Path, settings: Settings, instead: Texts = NO_TEXTS
) -> tuple[Mapping[str, SpecEntry], tuple[Problem, ...], str | None]:
    """The specs by name, the problems of their file, and that file as shown; None when there is none."""
    path = specs_file(root, settings, instead)
    if path is None:
        return {}, (), None
    document = read(path, shown(path, root), instead)
    specs, problems = entries(document)
    return specs, (*document.problems, *problems), document.file


def given_specs(
    items: Sequence[Mapping[str, Any]],
) -> tuple[Mapping[str, SpecEntry], tuple[Problem, ...]]:
    """Specs that stand in no file, in the form of specs.yaml's `specs`, and what is wrong with them."""
    document = parse(json.dumps({"specs": list(items)}, indent=2), "specs")
    specs, problems = entries(document)
    return specs, (*document.problems, *problems)


def load(
    root: Path,
    files: Sequence[Path] = (),
    *,
    environ: Mapping[str, str],
    lenient: bool = False,
    instead: Texts = NO_TEXTS,
) -> Loaded:
    """All of it. Never raises for a user's mistake; `lenient` makes an unset reference a warning.

    `instead` are texts that stand in for endpoint files and specs.yaml, by paths from `root`.
    """
    texts = {absolute(root / path): text for path, text in instead.items()}
    # The collector comes back after `_load` has dropped its node trees, so that it finds little to walk.
    with collector_paused():
        return _load(root, files, Resolver(root, environ, lenient), texts)


def _load(root: Path, files: Sequence[Path], resolver: Resolver, instead: Texts) -> Loaded:
    from reconciler.kinds.endpoint.mapping import shared_app_names

    settings, problems = settings_of(root, resolver)
    specs, spec_problems, specs_file = load_specs(root, settings, instead)
    layers = groups(root, files, instead)
    found = declared(root, layers, instead)
    run = _Run(resolver, specs, specs_file, found.problems)
    desired = run.desired(found.defaults, found.items)
    missing = () if found.files else (NO_ENDPOINTS,)
    everything = [
        *problems,
        *spec_problems,
        *found.problems,
        *run.problems,
        *shared_app_names(desired),
        *missing,
    ]
    return Loaded(
        settings=settings,
        desired=desired,
        specs=specs,
        problems=in_order(everything),
        endpoint_files=tuple(found.files),
        found_endpoint_file=bool(found.files),
        removed=tuple(found.removed),
        read=(
            *filter(None, (first_of(root, CONFIG_FILES), root / specs_file if specs_file else None)),
            *chain(*layers),
        ),
    )


def load_item(
    item: Mapping[str, Any], specs: Mapping[str, SpecEntry], resolver: Resolver
) -> tuple[Desired | None, tuple[Problem, ...]]:
    """One endpoint that stands in no file, judged like those that do."""
    specs_file = next((spec.document.file for spec in specs.values()), None)
    run = _Run(resolver, specs, specs_file, ())
    found = run.judged([ByHand(data=item)])
    return next(iter(found), None), in_order(run.problems)


def check_item(item: Mapping[str, Any]) -> tuple[Problem, ...]:
    """What is wrong with some fields of an endpoint that stand in no file, each by itself."""
    if schema.fits("endpoints", item, "endpoint"):
        return ()
    from reconciler.config.reports import reports

    errors = schema.errors("endpoints", item, "endpoint")
    return tuple(reports(errors, ByHand(data=item), address=address(str(item.get("endpoint")))))


def in_order(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """By file and line, each once: what a default does wrong is not said again for every endpoint."""
    once: dict[tuple[object, ...], Problem] = {}
    for problem in problems:
        place = problem.place
        key = (place and str(place), problem.code, problem.summary, None if place else problem.address)
        known = once.setdefault(key, problem)
        if known.address != problem.address:
            once[key] = replace(known, address=None)

    def position(problem: Problem) -> tuple[str, int, int]:
        place = problem.place
        return (place.file, place.line, place.column) if place else ("", 0, 0)

    return tuple(sorted(once.values(), key=position))


@dataclass(slots=True)
class _Item:
    """One endpoint on its way: `item` may hold secrets, `bare` is what the schema judges."""

    stack: Layers
    item: dict[str, Any]
    bare: dict[str, Any]
    is_resolved: bool = True
    unset: Sequence[Steps] = ()


class _Run:
    """From layers to desired endpoints."""

    def __init__(
        self,
        resolver: Resolver,
        specs: Mapping[str, SpecEntry],
        specs_file: str | None,
        before: Sequence[Problem],
    ) -> None:
        self.problems: list[Problem] = []
        self._resolver = resolver
        self._specs = specs
        self._specs_file = specs_file
        self._usable: dict[str, Spec | None] = {}
        self._taken = {problem.place for problem in before}

    def desired(self, defaults: Sequence[Layer], items: dict[str, list[Layer]]) -> tuple[Desired, ...]:
        """The endpoints without errors; the problems of the others are collected.

        Takes what it has judged out of `items`: the two together are never whole in memory.
        """
        sound = self._are_sound(defaults)
        # Broken defaults were reported once; laid under every endpoint they would be reported again for each.
        base = tuple(defaults) if sound else ()
        result: list[Desired] = []
        names = iter(tuple(items))
        while chunk := tuple(islice(names, AT_ONCE)):
            result += self.judged([Layers((*base, *items.pop(name))) for name in chunk], sound=sound)
        return tuple(result)

    def judged(self, stacks: Sequence[Layers], *, sound: bool = True) -> tuple[Desired, ...]:
        """The same of merged layers; without `sound` defaults under them no endpoint can be told."""
        from reconciler.kinds.endpoint.mapping import desired_endpoint

        found = [self._item(stack) for stack in stacks]
        fit = schema.fits("endpoints", [item.bare for item in found], _definition(sound), many=True)
        result = []
        for item in found:
            if not fit and not schema.fits("endpoints", item.bare, _definition(sound)):
                self._report(item, _definition(sound))
                continue
            if not sound:
                continue
            spec = self._spec(item)
            desired, problems = desired_endpoint(item.item, spec, item.stack.spots.place)
            self.problems += filter(self._is_news, problems)
            if desired is not None and item.is_resolved:
                result.append(replace(desired, unset=_unset_paths(item.unset)) if item.unset else desired)
        return tuple(result)

    def _are_sound(self, defaults: Sequence[Layer]) -> bool:
        stack = Layers(tuple(defaults))
        merged = stack.merged()
        if not merged or schema.fits("endpoints", merged, "defaults"):
            return True
        from reconciler.config.reports import reports

        errors = reports(schema.errors("endpoints", merged, "defaults"), stack)
        self.problems += filter(self._is_news, errors)
        return False

    def _item(self, stack: Layers) -> _Item:
        merged = stack.merged()
        if not holds_references(merged):
            return _Item(stack, merged, merged)
        found = resolved(merged, stack, self._resolver)
        self._taken |= {problem.place for problem in found.problems}
        self.problems += (replace(problem, address=address(merged["endpoint"])) for problem in found.problems)
        is_resolved = not any(problem.is_error for problem in found.problems)
        return _Item(stack, found.item, reveal(found.item), is_resolved=is_resolved, unset=found.unset)

    def _is_news(self, problem: Problem) -> bool:
        """An error at a place that has one already would only say it again in other words."""
        return not problem.is_error or problem.place not in self._taken

    def _report(self, item: _Item, definition: str) -> None:
        from reconciler.config.reports import reports

        errors = schema.errors("endpoints", item.bare, definition)
        found = reports(errors, item.stack, address=address(item.bare["endpoint"]))
        self.problems += filter(self._is_news, found)

    def _spec(self, item: _Item) -> Spec | None:
        name = item.item["specName"]
        if name not in self._specs:
            place = item.stack.place(("specName",))
            problem = unknown_spec(name, self._specs, place, self._specs_file)
            if self._is_news(problem):
                self.problems.append(replace(problem, address=address(item.item["endpoint"])))
            return None
        if name not in self._usable:
            self._usable[name], problems = usable_spec(self._specs[name], self._resolver)
            self.problems += problems
        return self._usable[name]


def _unset_paths(found: Sequence[Steps]) -> tuple[WirePath, ...]:
    """The wire paths of the fields that hold a reference that is unset."""
    from reconciler.kinds.endpoint.paths import wire_paths

    names = (f"env.{steps[1]}" if steps[0] == "env" else str(steps[0]) for steps in found)
    return tuple(dict.fromkeys(path for name in names for path in wire_paths(name)))


def _definition(sound: bool) -> str:
    return "mergedEndpoint" if sound else "endpoint"


def specs_file(root: Path, settings: Settings, instead: Texts = NO_TEXTS) -> Path | None:
    """The specs.yaml in use; None when there is none."""
    places = [Path("specs.yaml"), Path("config/specs.yaml")]
    if settings.config_dir is not None:
        places.insert(0, Path(settings.config_dir) / "specs.yaml")
    return first_of(root, places, instead)
