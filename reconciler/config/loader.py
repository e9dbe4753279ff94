"""Loads the configuration: desired endpoints, settings and specs, with all problems at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.config import schema
from reconciler.config.endpoint_files import read_endpoint_files, texts_of_helpers
from reconciler.config.environments import CONFIG_FILES
from reconciler.config.files.discovery import (
    display_path,
    first_existing,
    search_layers,
    warn_of_unread_files,
)
from reconciler.config.overlays import InlineLayer
from reconciler.config.references.resolver import NO_VARIABLES, SHARED_CODES, Resolver
from reconciler.config.resources import (
    add_inner_items,
    check_links,
    unneeded_addresses,
    validate_resources,
    with_names_in_account,
)
from reconciler.config.settings import read_settings
from reconciler.config.specs import Specs, has_only_known_names, read_entries
from reconciler.config.validation import EndpointValidator, every_endpoint
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.resource import Desired, Removed, address
from reconciler.model.settings import DECLARED_NAMES, NameTemplate, Settings
from reconciler.model.values import Fields, escaped
from reconciler.yamlfile.document import Document
from reconciler.yamlfile.files import NO_OVERRIDES, FileOverrides, RootDirectory, normalized_path
from reconciler.yamlfile.reader import gc_paused, parse, read

if TYPE_CHECKING:
    from reconciler.config.references.helper_calls import HelperCalls


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedConfig:
    """The content of all files. `desired` is in file order, without the endpoints that have errors.

    `read_files` are all files that were read, except those of `${file:PATH}` references. `hidden_files` are
    files and folders that the search skipped because of their names. `others` are resources of other kinds
    than endpoints.
    """

    settings: Settings
    desired: tuple[Desired, ...]
    specs: Specs
    problems: tuple[Problem, ...]
    endpoint_files: tuple[str, ...]
    has_endpoint_files: bool
    removed: tuple[Removed, ...] = ()
    read_files: tuple[Path, ...] = ()
    hidden_files: tuple[str, ...] = ()
    others: tuple[Desired, ...] = ()

    def of(self, kind: str) -> Sequence[Desired]:
        """Return what is declared of one kind."""
        if kind == ENDPOINT.type:
            return self.desired
        return [desired for desired in self.others if desired.kind == kind]

    @property
    def declared_fields(self) -> Mapping[str, Fields]:
        """Return the fields of the endpoints, by name."""
        return {desired.name: desired.fields for desired in self.desired}

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.is_error)


def load_specs(root: Path, settings: Settings, overrides: FileOverrides = NO_OVERRIDES) -> Specs:
    """Return only the specs, with the problems of their file."""
    path = find_specs_file(root, settings, overrides)
    if path is None:
        return Specs(entries={}, file=None, are_all_known=settings.is_complete)
    document = read(path, display_path(path, root), overrides, root=RootDirectory(root))
    return _specs(document, are_all_known=settings.is_complete and has_only_known_names(document))


def specs_from_items(items: Sequence[Mapping[str, Any]]) -> Specs:
    """Return specs that are given as data, in the form of `specs` in specs.yaml, with their problems."""
    return _specs(parse(json.dumps({"specs": list(items)}, indent=2), "specs"))


def _specs(document: Document, *, are_all_known: bool = True) -> Specs:
    entries, problems = read_entries(document)
    return Specs(
        entries=entries,
        file=document.file,
        are_all_known=are_all_known,
        problems=(*document.problems, *problems),
    )


def load(
    root: Path,
    files: Sequence[Path] = (),
    *,
    environ: Mapping[str, str],
    dotenv: Mapping[str, str] = NO_VARIABLES,
    lenient: bool = False,
    overrides: FileOverrides = NO_OVERRIDES,
    is_selected: Callable[[str], bool] = every_endpoint,
    needs_endpoints: bool = True,
    helper_calls: HelperCalls | None = None,
    on_wait: Callable[[str], None] | None = None,
    environment: str = "",
    names: NameTemplate = DECLARED_NAMES,
) -> LoadedConfig:
    """Return the whole configuration. Mistakes of users are reported as problems.

    `lenient`, `helper_calls` and `on_wait` are those of `Resolver`. Errors of endpoints that are not selected
    are left out. `overrides` replace endpoint files and specs.yaml, by paths relative to `root`. With
    `needs_endpoints`, it is an error if there are no endpoint files. `environment` is the one whose settings
    take precedence, and `names` gives the names of endpoints in it.
    """
    texts = {normalized_path(root / path): text for path, text in overrides.items()}
    # `_load` drops its node trees before garbage collection starts again, so that there is little to walk.
    with gc_paused():
        resolver = Resolver(root, environ, lenient, dotenv, helper_calls, on_wait)
        return _load(
            root,
            files,
            resolver,
            texts,
            is_selected,
            needs_endpoints=needs_endpoints,
            environment=environment,
            names=names,
        )


def _load(
    root: Path,
    files: Sequence[Path],
    resolver: Resolver,
    overrides: FileOverrides,
    is_selected: Callable[[str], bool],
    *,
    needs_endpoints: bool,
    environment: str,
    names: NameTemplate,
) -> LoadedConfig:
    settings, problems = read_settings(root, resolver, environment)
    specs = load_specs(root, settings, overrides)
    layers = search_layers(root, files, overrides)
    groups = [layer.files for layer in layers]
    declared = read_endpoint_files(root, groups, overrides, names)
    unselected = {address(name) for name in declared.items if not is_selected(name)}
    needs_specs = len(unselected) < len(declared.items) or not unselected
    if declared.names_helpers and not resolver.lenient:
        resolver.start_helpers(texts_of_helpers(declared, is_selected))
    declared.problems += add_inner_items(declared)
    validator = EndpointValidator(resolver, specs, declared.problems, is_selected, names)
    desired = validator.validate(declared)
    others, other_problems = validate_resources(declared.others, resolver, names)
    if names.changes_names:
        desired = tuple(with_names_in_account(one, names) for one in desired)
        others = tuple(with_names_in_account(one, names) for one in others)
    link_problems = check_links((*desired, *others), declared.others, names)
    unselected |= unneeded_addresses((*desired, *others), declared.others, is_selected, names)
    missing = Problem(
        code="no-endpoints",
        summary="no endpoints.yaml found here, and no endpoints/*.yaml",
        hint="reconciler init   writes one; or name a file with -f FILE, or a directory with -C DIR",
    )
    all_problems = [
        *problems,
        *(specs.problems if needs_specs else ()),
        *declared.problems,
        *validator.problems,
        *ENDPOINT.conflicts(desired),
        *other_problems,
        *link_problems,
        *((missing,) if needs_endpoints and not declared.files else ()),
        *warn_of_unread_files(display_path(path, root) for layer in layers for path in layer.unread),
    ]
    return LoadedConfig(
        settings=replace(
            settings, referenced_values=frozenset(resolver.values | resolver.without_helpers.values)
        ),
        desired=desired,
        specs=specs,
        problems=sort_problems(
            [problem for problem in all_problems if not (problem.is_error and problem.address in unselected)]
        ),
        endpoint_files=tuple(declared.files),
        has_endpoint_files=bool(declared.files),
        others=others,
        removed=tuple(declared.removed),
        hidden_files=tuple(display_path(path, root) for layer in layers for path in layer.hidden),
        read_files=(
            *filter(None, (first_existing(root, CONFIG_FILES), find_specs_file(root, settings, overrides))),
            *chain(*groups),
        ),
    )


def load_item(
    item: Mapping[str, Any], specs: Specs, resolver: Resolver
) -> tuple[Desired | None, tuple[Problem, ...]]:
    """Return an endpoint that is given as data, validated like declared ones; None if it has errors."""
    validator = EndpointValidator(resolver, specs, ())
    desired = next(iter(validator.validate_stacks([InlineLayer(data=item)])), None)
    return desired, sort_problems([*validator.problems, *(specs.problems if desired is None else ())])


def check_item(item: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Return the problems of fields of an endpoint, as literal text, each checked by itself."""
    name, locator = address(str(item.get("endpoint"))), InlineLayer(data=item).positions
    if schema.is_valid("endpoints", escaped(item), "endpoint"):
        found = ENDPOINT.value_problems(item, locator.place)
        return tuple(replace(problem, address=name) for problem in found)
    from reconciler.config.schema_errors import schema_problems

    errors = schema.validation_errors("endpoints", escaped(item), "endpoint")
    return tuple(schema_problems(errors, locator, address=name))


def sort_problems(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return the problems by file and line, without repetitions.

    A problem of `defaults` occurs for each endpoint; it is reported once, without an address and without the
    lines of its detail that differ. So is a problem of a value that is declared in several places, if its
    code is one of `Kind.shared_codes` or `SHARED_CODES`.
    """
    unique: dict[tuple[object, ...], Problem] = {}
    for problem in problems:
        place = problem.place
        is_shared = problem.code in ENDPOINT.shared_codes or problem.code in SHARED_CODES
        where = None if is_shared else (place and str(place), None if place else problem.address)
        key = (where, problem.code, problem.summary)
        known = unique.setdefault(key, problem)
        if known.address != problem.address:
            lines = [line for line in known.detail.split("\n") if line in problem.detail.split("\n")]
            unique[key] = replace(known, address=None, detail="\n".join(lines))

    def position(problem: Problem) -> tuple[str, int, int]:
        place = problem.place
        return (place.file, place.line, place.column) if place else ("", 0, 0)

    return tuple(sorted(unique.values(), key=position))


def find_specs_file(root: Path, settings: Settings, overrides: FileOverrides = NO_OVERRIDES) -> Path | None:
    """Return the path of specs.yaml, or None if there is none."""
    candidates = [Path("specs.yaml"), Path("config/specs.yaml")]
    if settings.config_dir is not None:
        candidates.insert(0, Path(settings.config_dir) / "specs.yaml")
    return first_existing(root, candidates, overrides)
