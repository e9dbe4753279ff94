"""`import --all`: YAML for every endpoint that was made elsewhere, proven before it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from reconciler.config.files.discovery import SUFFIXES, display_path, path_of_display
from reconciler.config.loader import LoadedConfig, find_specs_file
from reconciler.config.settings import CONFIG_FILES
from reconciler.config.specs import usable_specs
from reconciler.inventory.files import FileSystem, make_directories, replace_file, resolve
from reconciler.inventory.session import load as load_inventory
from reconciler.kinds.base import Draft, Variable
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.model.resource import Inventory, Live
from reconciler.model.secrets import Keyring
from reconciler.planning.planner import make_plan
from reconciler.planning.selection import Selection
from reconciler.workflow.importer.env_out import check, write
from reconciler.workflow.importer.files import endpoints_text, example_text, specs_text, variables_in
from reconciler.workflow.importer.proof import proven
from reconciler.workflow.runtime.account import base_url, list_complete, reader
from reconciler.workflow.runtime.config import load_config, valid_settings
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.inventory import locked_inventory, require_claim, with_files_of
from reconciler.workflow.runtime.outputs import import_path_error
from reconciler.yamlfile.files import RootDirectory, UnreadableFile
from reconciler.yamlfile.reader import MAX_SIZE_MIB

EXAMPLE: Final = ".env.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedEndpoint:
    """One endpoint that is declared and recorded now; `spec` is the spec that its YAML names."""

    name: str
    id: str
    spec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What was written, in that order, and what to type next: `plan` is the command that sees all of it.

    `example` is the file that names the variables, `values` the one with their live values; "" for none.
    """

    endpoints: tuple[ImportedEndpoint, ...] = ()
    written: tuple[str, ...] = ()
    example: str = ""
    values: str = ""
    variables: tuple[Variable, ...] = ()
    problems: tuple[Problem, ...] = ()
    plan: str = "reconciler plan"


def import_all(
    context: Context,
    out: Path,
    matches: tuple[str, ...] = (),
    *,
    env_out: Path | None = None,
    disk: FileSystem | None = None,
) -> Imported:
    """Write YAML for every live endpoint that is neither recorded nor declared, and record them.

    The live values of their variables are written to `env_out` alone, and nowhere without it.

    The plan after it is proven to be empty first; otherwise nothing is written and InvalidConfig says why.
    Files come before records: a record without a declaration would be deleted by the next apply.
    """
    loaded = load_config(context, lenient=True, needs_endpoints=False)
    settings = valid_settings(context)
    _check_out(context, out)
    values = context.root / env_out if env_out is not None else None
    if values is not None:
        check(values, str(env_out))
    inventory = load_inventory(context.state_path)
    with reader(context, settings) as account:
        live = list_complete(account, (record.id for record in inventory.records.values())).endpoints
    claim = require_claim(context, settings, inventory, live)
    found, left_out = _found(context, loaded, inventory, live, matches, settings.keyring)
    if not found:
        return Imported(problems=left_out)
    drafted = ENDPOINT.draft(
        found,
        usable_specs(loaded.specs.entries, context.resolver()),
        spec_names=loaded.specs.entries,
        app_names=[one.app_name for one in loaded.desired],
        in_use={name: context.resolver().variable(name) for name in _references(context, loaded)},
    )
    texts = _texts(context, loaded, out, drafted)
    env_file = (env_out or out.with_name(".env")) if drafted.variables else None
    proof = proven(context, loaded, out, drafted, texts, inventory, live, settings.keyring, env_file)
    with locked_inventory(context, base_url(settings)) as session:
        if session.inventory.records != inventory.records:
            raise InvalidConfig(_moved())
        if values is not None and drafted.variables:
            write(values, str(env_out), drafted.variables)
        written = [_write(disk or FileSystem(), context.root, path, text) for path, text in texts.items()]
        session.set_owner(with_files_of(replace(context, files=proof.files), claim.owner))
        for record in proof.records:
            session.record(record)
    return Imported(
        endpoints=tuple(
            ImportedEndpoint(name=one.name, id=one.id, spec=item["specName"])
            for one, item in zip(drafted.endpoints, drafted.items, strict=True)
        ),
        written=tuple(written),
        example=written[-1] if drafted.variables else "",
        values=str(env_out) if env_out and drafted.variables else "",
        variables=drafted.variables,
        problems=(*claim.problems, *left_out, *proof.problems),
        plan=proof.plan,
    )


def _references(context: Context, loaded: LoadedConfig) -> set[str]:
    """The variables that are read already."""
    root = context.root
    specs = find_specs_file(root, loaded.settings)
    files = [
        *(path_of_display(name, root) for name in loaded.endpoint_files),
        *(root / name for name in CONFIG_FILES),
    ]
    fence = RootDirectory(root)
    texts = (_text(file, fence) for file in ([*files, specs] if specs else files))
    return {name for text in texts if text is not None for name in variables_in(text)}


def _texts(context: Context, loaded: LoadedConfig, out: Path, drafted: Draft) -> Mapping[Path, str]:
    """What each file is to hold, in the order of writing."""
    root = context.root
    found = {}
    if drafted.new_specs:
        specs = find_specs_file(root, loaded.settings) or root / "specs.yaml"
        found[specs] = specs_text(
            _text(specs, RootDirectory(root)), drafted.new_specs, display_path(specs, root)
        )
    found[root / out] = endpoints_text(drafted.items)
    if drafted.variables:
        example = (root / out).with_name(EXAMPLE)
        found[example] = example_text(_text(example, RootDirectory(root)), drafted.variables)
    return found


def _found(
    context: Context,
    loaded: LoadedConfig,
    inventory: Inventory,
    live: tuple[Live, ...],
    matches: tuple[str, ...],
    keyring: Keyring,
) -> tuple[tuple[Live, ...], tuple[Problem, ...]]:
    """The endpoints to import, and what is said about others that were asked for."""
    unmanaged = {one.id for one in make_plan(loaded.desired, inventory, live, keyring).unmanaged}
    recorded = {record.id for record in inventory.records.values()}
    strangers = [one for one in live if one.id in unmanaged - recorded]
    if unmatched := context.selection.unmatched(one.name for one in strangers):
        raise InvalidConfig(*unmatched)
    chosen = Selection(targets=matches)
    asked = [one for one in strangers if context.selection.has(one.name) and chosen.has(one.name)]
    return ENDPOINT.importable(
        asked, (*(one.name for one in loaded.desired), *inventory.records, *inventory.intents)
    )


def _text(path: Path, fence: RootDirectory) -> str | None:
    """The text of a file, line ends as they are; None when there is none. Raises InvalidConfig."""
    try:
        return fence.read(path, MAX_SIZE_MIB * 2**20, named=True).decode()
    except (UnreadableFile, UnicodeDecodeError) as error:
        if getattr(error, "code", "") == "file-not-found":
            return None
        reason = error.reason if isinstance(error, UnreadableFile) else "it is not UTF-8 text"
        raise InvalidConfig(
            Problem(code="unreadable-file", summary=f"cannot read {path.name}: {reason}")
        ) from error


def _write(disk: FileSystem, root: Path, path: Path, text: str) -> str:
    try:
        make_directories(disk, path.parent)
        target = resolve(path)
        replace_file(disk, target, text.encode())
        disk.sync_directory(target.parent)
    except OSError as error:
        name = display_path(path, root)
        raise InvalidConfig(
            Problem(code="cannot-write", summary=f"cannot write {name}: {error.strerror or error}")
        ) from error
    return display_path(path, root)


def _check_out(context: Context, out: Path) -> None:
    path = context.root / out
    if path.suffix not in SUFFIXES[:2]:
        what, hint = f"{out} has another suffix than .yaml or .yml", "name a YAML file: --out endpoints.yaml"
    elif path.exists() or path.is_symlink():
        what, hint = f"{out} is there already", "name a new file: --out endpoints/imported.yaml"
    elif why := import_path_error(context, path):
        what, hint = f"{out}: {why}", "name a new file: --out endpoints/imported.yaml"
    else:
        return
    raise InvalidConfig(Problem(code="not-imported", summary=f"nothing was written: {what}", hint=hint))


def _moved() -> Problem:
    return Problem(
        code="not-imported",
        summary="nothing was written: another run has changed the inventory meanwhile",
        hint="run the import again",
    )
