"""Reads `environments`, `env_file` and `state` of config.yaml, which say what a run reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.config.files.discovery import display_path, first_existing
from reconciler.model.inventory_location import Location, is_address, location_problem
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place, Problem
from reconciler.model.settings import PLACEHOLDER, Environment, NameTemplate
from reconciler.yamlfile.files import RootDirectory, UnreadableFile

if TYPE_CHECKING:
    from reconciler.yamlfile.document import Document

CONFIG_FILES: Final = (Path("config.yaml"), Path("config/config.yaml"))

_SECTIONS: Final = (b"environments", b"env_file", b"state")
"""Words without which a file has none of these settings, so that it need not be parsed here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """The environments of a folder by name, in the order of the file.

    file: the file that declares them, or would. env_files: `novita.env_file`. state: `novita.state`, or None.
    addresses: every address of an inventory, by the setting that names it. problems: errors in all of it.
    syntax_errors: those of a file that may declare environments, and cannot be read.
    """

    file: str = "config.yaml"
    by_name: Mapping[str, Environment] = field(default_factory=dict)
    env_files: tuple[Path, ...] = ()
    state: Location | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    syntax_errors: tuple[Problem, ...] = ()

    @property
    def default(self) -> Environment | None:
        """Return the environment with `default: true`, or None."""
        return next((one for one in self.by_name.values() if one.is_default), None)


def config_document(root: Path) -> Document | None:
    """Return config.yaml of a folder, or None if there is none."""
    path = first_existing(root, CONFIG_FILES)
    if path is None:
        return None
    from reconciler.yamlfile.reader import read

    return read(path, display_path(path, root), root=RootDirectory(root))


def read_environments(root: Path) -> Environments:
    """Return the environments of a folder; none if config.yaml declares none, or is no mapping."""
    path = first_existing(root, CONFIG_FILES)
    if path is None or not _may_declare(root, path):
        return Environments()
    document = config_document(root)
    if document is None or not isinstance(document.data, dict):
        return Environments(syntax_errors=() if document is None else document.problems)
    return _environments(document)


def _may_declare(root: Path, path: Path) -> bool:
    """Return False if the file has no environments, or cannot be read, which the settings report."""
    from reconciler.yamlfile.reader import MAX_SIZE_MIB

    try:
        text = RootDirectory(root).read(path, MAX_SIZE_MIB * 2**20)
    except UnreadableFile:
        return False
    # An escape, or an encoding other than UTF-8, may hide the words.
    return any(word in text for word in (*_SECTIONS, b"\\x", b"\\u", b"\\U", b"\0"))


def _environments(document: Document) -> Environments:
    from reconciler.config import schema
    from reconciler.config.schema_errors import schema_problems

    novita, declared = document.data.get("novita"), document.data.get("environments")
    setting, state = (
        (novita.get("env_file"), novita.get("state")) if isinstance(novita, dict) else (None, None)
    )
    read_here = {"environments": declared, "novita": {"env_file": setting, "state": state}}
    problems: list[Problem] = []
    if not schema.is_valid("config", read_here):
        problems += schema_problems(schema.validation_errors("config", read_here), document)
    env_files = _paths(document, ("novita", "env_file"), setting, problems)
    location = _location(document, ("novita", "state"), state, problems)
    environments: dict[str, Environment] = {}
    for name, values in declared.items() if isinstance(declared, dict) else ():
        if isinstance(name, str) and isinstance(values, dict | None):
            environments[name] = _environment(document, name, values or {}, problems)
    problems += _conflicts(document, environments.values())
    locations = {"novita.state": location} | {
        f"environments.{name}.state": one.state for name, one in environments.items()
    }
    return Environments(
        file=document.file,
        by_name=environments,
        env_files=env_files,
        state=location,
        addresses={setting: one for setting, one in locations.items() if isinstance(one, str)},
        problems=tuple(problems),
    )


def _environment(
    document: Document, name: str, values: Mapping[str, Any], problems: list[Problem]
) -> Environment:
    path = ("environments", name)
    template = values.get("name")
    is_template = isinstance(template, str) and template.count(PLACEHOLDER) == 1
    state = _location(document, (*path, "state"), values.get("state"), problems)
    return Environment(
        name=name,
        state=state or Path("state", f"{name}.json"),
        files=_paths(document, (*path, "files"), values.get("files"), problems),
        names=NameTemplate(template) if is_template and isinstance(template, str) else NameTemplate(),
        env_files=_paths(document, (*path, "env_file"), values.get("env_file"), problems),
        has_api_key=values.get("api_key") is not None,
        is_protected=values.get("protected") is True,
        is_confirmed=values.get("confirm") is True or values.get("protected") is True,
        is_default=values.get("default") is True,
    )


def _paths(
    document: Document, path: tuple[str, ...], value: Any, problems: list[Problem]
) -> tuple[Path, ...]:
    """Return the paths of a setting. One that leads out of the root is reported: a file must not name it."""
    texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    paths: list[Path] = []
    for index, text in enumerate(texts):
        if not isinstance(text, str) or not text:
            continue
        place = document.place((*path, index) if isinstance(value, list) else path)
        normal = Path(os.path.normpath(text))
        if normal.is_absolute() or normal.parts[:1] == ("..",) or "\0" in text:
            problems.append(_outside(path[-1], text, place))
        elif "${" in text:
            problems.append(_reference(path[-1], place))
        else:
            paths.append(Path(text))
    return tuple(paths)


def _location(
    document: Document, path: tuple[str, ...], value: Any, problems: list[Problem]
) -> Location | None:
    """Return the inventory that a setting names, a path below the root or an address."""
    if not isinstance(value, str) or not is_address(value):
        return next(iter(_paths(document, path, value if isinstance(value, str) else None, problems)), None)
    place = document.place(path)
    if "${" in value:
        problems.append(_reference(path[-1], place))
        return None
    if (problem := location_problem(value)) is not None:
        shown = replace(place, text="") if place is not None else None  # the line contains the credential
        problems.append(replace(problem, place=shown))
        return None
    return value


def _outside(setting: str, text: str, place: Place | None) -> Problem:
    option = {"files": "-f", "state": "--state"}.get(setting, "--env-file")
    return Problem(
        code="leads-outside",
        summary=f"`{setting}` names {text}, which is outside of this folder",
        hint=f"write a path below the folder of -C DIR; the option {option} may name a file anywhere",
        place=place,
    )


def _reference(setting: str, place: Place | None) -> Problem:
    return Problem(
        code="bad-reference",
        summary=f"`{setting}` must be a path, not a reference",
        hint="write the path; it is read before any variable"
        + ("; RECONCILER_STATE names another inventory" if setting == "state" else ""),
        place=place,
    )


def _conflicts(document: Document, environments: Iterable[Environment]) -> Iterator[Problem]:
    """Yield an error for each inventory of two environments, and for a second default."""
    by_state: dict[str, Environment] = {}
    default: Environment | None = None
    for one in environments:
        state = one.state if isinstance(one.state, str) else os.path.normpath(one.state)
        first = by_state.setdefault(state, one)
        if first is not one:
            path = ("environments", one.name)
            yield Problem(
                code="shared-inventory",
                summary=f"the environments `{first.name}` and `{one.name}` have the same inventory,"
                f" {one.state}",
                hint=f"remove `state` from one of the two; its own is then state/{one.name}.json",
                place=document.place((*path, "state")) or document.place(path, key=True),
            )
        if one.is_default and default is not None:
            yield Problem(
                code="two-defaults",
                summary=f"the environments `{default.name}` and `{one.name}` both have `default: true`",
                hint="remove one of the two",
                place=document.place(("environments", one.name, "default")),
            )
        default = default or (one if one.is_default else None)
