"""A directory and an environment -> the desired endpoints, and every problem on the way at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from reconciler.config import schema
from reconciler.config.endpoint_files import declared
from reconciler.config.files.discovery import first_of, layers, shown
from reconciler.config.files.unread import unread
from reconciler.config.overlays import ByHand
from reconciler.config.references.resolver import NO_VARIABLES, Resolver
from reconciler.config.settings import CONFIG_FILES, settings_of
from reconciler.config.specs import Specs, entries, names_are_known
from reconciler.config.validation import Judge, anybody
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.problem import Problem
from reconciler.model.resource import Desired, Removed, address
from reconciler.model.settings import Settings
from reconciler.yamlfile.document import Document
from reconciler.yamlfile.overlay import NO_TEXTS, Texts, absolute
from reconciler.yamlfile.reader import collector_paused, parse, read
from reconciler.yamlfile.root_check import Fence


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedConfig:
    """What the files say. `desired` is in file order and lacks the endpoints that have errors.

    `read` are all files that were read for it; what `${file:PATH}` names is none of them. `hidden` are files
    and folders that were passed over for their names. `others` are resources of other kinds than endpoints.
    """

    settings: Settings
    desired: tuple[Desired, ...]
    specs: Specs
    problems: tuple[Problem, ...]
    endpoint_files: tuple[str, ...]
    has_endpoint_files: bool
    removed: tuple[Removed, ...] = ()
    read: tuple[Path, ...] = ()
    hidden: tuple[str, ...] = ()
    others: tuple[Desired, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.is_error)


def load_settings(
    root: Path, *, environ: Mapping[str, str], dotenv: Mapping[str, str] = NO_VARIABLES, lenient: bool = False
) -> tuple[Settings, tuple[Problem, ...]]:
    """The settings alone, for commands that need no endpoint file."""
    return settings_of(root, Resolver(root, environ, lenient, dotenv))


def load_specs(root: Path, settings: Settings, instead: Texts = NO_TEXTS) -> Specs:
    """The specs alone, and what is wrong with their file."""
    path = specs_file(root, settings, instead)
    if path is None:
        return Specs(entries={}, file=None, are_all_known=settings.is_complete)
    document = read(path, shown(path, root), instead, fence=Fence(root))
    return _specs(document, are_all_known=settings.is_complete and names_are_known(document))


def given_specs(items: Sequence[Mapping[str, Any]]) -> Specs:
    """Specs that stand in no file, in the form of specs.yaml's `specs`, and what is wrong with them."""
    return _specs(parse(json.dumps({"specs": list(items)}, indent=2), "specs"))


def _specs(document: Document, *, are_all_known: bool = True) -> Specs:
    found, problems = entries(document)
    return Specs(
        entries=found,
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
    needs_endpoints: bool = True,
    instead: Texts = NO_TEXTS,
    concerns: Callable[[str], bool] = anybody,
) -> LoadedConfig:
    """All of it. Never raises for a user's mistake; `lenient` makes an unset reference a warning.

    `needs_endpoints` makes it an error if there is no endpoint file. `concerns` tells which endpoints the run
    is about; errors of others are left out. `instead` are texts that stand in for endpoint files and
    specs.yaml, by paths from `root`.
    """
    texts = {absolute(root / path): text for path, text in instead.items()}
    # The collector comes back after `_load` has dropped its node trees, so that it finds little to walk.
    with collector_paused():
        return _load(root, files, Resolver(root, environ, lenient, dotenv), needs_endpoints, texts, concerns)


def _load(
    root: Path,
    files: Sequence[Path],
    resolver: Resolver,
    needs_endpoints: bool,
    instead: Texts,
    concerns: Callable[[str], bool],
) -> LoadedConfig:
    settings, problems = settings_of(root, resolver)
    specs = load_specs(root, settings, instead)
    searched = layers(root, files, instead)
    read_from = [one.files for one in searched]
    found = declared(root, read_from, instead)
    others = {address(name) for name in found.items if not concerns(name)}
    needs_specs = len(others) < len(found.items) or not others
    judge = Judge(resolver, specs, found.problems, concerns)
    desired = judge.desired(found)
    missing = Problem(
        code="no-endpoints",
        summary="no endpoints.yaml found here, and no endpoints/*.yaml",
        hint="reconciler init   writes one; or name a file with -f FILE, or a directory with -C DIR",
    )
    everything = [
        *problems,
        *(specs.problems if needs_specs else ()),
        *found.problems,
        *judge.problems,
        *ENDPOINT.conflicts(desired),
        *((missing,) if needs_endpoints and not found.files else ()),
        *unread(shown(path, root) for one in searched for path in one.unread),
    ]
    return LoadedConfig(
        settings=replace(settings, referenced_values=frozenset(resolver.said)),
        desired=desired,
        specs=specs,
        problems=in_order([one for one in everything if not (one.is_error and one.address in others)]),
        endpoint_files=tuple(found.files),
        has_endpoint_files=bool(found.files),
        removed=tuple(found.removed),
        hidden=tuple(shown(path, root) for one in searched for path in one.hidden),
        read=(
            *filter(None, (first_of(root, CONFIG_FILES), specs_file(root, settings, instead))),
            *chain(*read_from),
        ),
    )


def load_item(
    item: Mapping[str, Any], specs: Specs, resolver: Resolver
) -> tuple[Desired | None, tuple[Problem, ...]]:
    """One endpoint that stands in no file, judged like those that do; None with all that may be the cause."""
    judge = Judge(resolver, specs, ())
    found = next(iter(judge.judged([ByHand(data=item)])), None)
    return found, in_order([*judge.problems, *(specs.problems if found is None else ())])


def check_item(item: Mapping[str, Any]) -> tuple[Problem, ...]:
    """What is wrong with some fields of an endpoint that stand in no file, each by itself."""
    if schema.fits("endpoints", item, "endpoint"):
        return ()
    from reconciler.config.schema_errors import reports

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


def specs_file(root: Path, settings: Settings, instead: Texts = NO_TEXTS) -> Path | None:
    """The specs.yaml in use; None when there is none."""
    places = [Path("specs.yaml"), Path("config/specs.yaml")]
    if settings.config_dir is not None:
        places.insert(0, Path(settings.config_dir) / "specs.yaml")
    return first_of(root, places, instead)
