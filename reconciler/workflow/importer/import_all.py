"""`reconciler import --all`: write YAML for every unmanaged endpoint, and verify it before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os.path import relpath
from pathlib import Path
from typing import Final

from reconciler.config.files.discovery import display_path
from reconciler.config.loader import LoadedConfig, find_specs_file
from reconciler.config.specs import usable_specs
from reconciler.inventory.files import FileSystem
from reconciler.inventory.session import load as load_inventory
from reconciler.kinds.draft import Draft, Variable
from reconciler.kinds.registry import ENDPOINT, KINDS
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.resource import Inventory, Live, key_of
from reconciler.novita.account import AccountReader
from reconciler.planning.guards import foreign_guard
from reconciler.planning.matching import managed
from reconciler.planning.neighbors import neighbor_note
from reconciler.planning.selection import Selection
from reconciler.workflow.editor_schemas import modeline, new_schema, schema_file
from reconciler.workflow.importer.env_out import check_env_file, write_env_file
from reconciler.workflow.importer.files import (
    HEADER,
    endpoints_text,
    example_text,
    sections_of,
    spec_item,
    specs_text,
)
from reconciler.workflow.importer.names import has_declared_name, not_of_environment, with_declared_names
from reconciler.workflow.importer.proof import prove
from reconciler.workflow.importer.references import names_by_id, with_names
from reconciler.workflow.importer.written_files import (
    check_output,
    read_text,
    referenced_variables,
    write_file,
)
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.config import load_config
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import neighbors_by_id, owners_by_id
from reconciler.workflow.runtime.inventory import locked_inventory, require_claim, with_files_of
from reconciler.workflow.runtime.live import list_complete
from reconciler.workflow.runtime.settings import base_url, valid_settings
from reconciler.yamlfile.files import RootDirectory
from reconciler.yamlfile.reader import gc_paused

EXAMPLE: Final = ".env.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedEndpoint:
    """One imported endpoint; `spec` is the name of its spec."""

    name: str
    id: str
    spec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """The imported endpoints, the files in the order of writing, and the command that plans with them.

    `example` is the file that lists the variables, `values` the one with their live values; "" for none.
    """

    endpoints: tuple[ImportedEndpoint, ...] = ()
    written: tuple[str, ...] = ()
    example: str = ""
    values: str = ""
    variables: tuple[Variable, ...] = ()
    problems: tuple[Problem, ...] = ()
    plan: str = "reconciler plan"


@gc_paused()
def import_all(
    context: Context,
    out: Path,
    matches: tuple[str, ...] = (),
    *,
    env_out: Path | None = None,
    disk: FileSystem | None = None,
) -> ImportResult:
    """Write YAML for every live endpoint that is neither recorded nor declared, and record them.

    The live values of their variables are written to `env_out` only. Raise InvalidConfig, and write nothing,
    unless the next plan would be empty. Files are written before records, because the next apply would delete
    an endpoint with a record and without a declaration.
    """
    loaded = load_config(context, lenient=True, needs_endpoints=False)
    settings = valid_settings(context)
    check_output(context, out, "endpoints/imported.yaml", "not-imported")
    values = context.root / env_out if env_out is not None else None
    if values is not None:
        check_env_file(values, str(env_out))
    inventory = load_inventory(context.store)
    with reader(context, settings) as account:
        live = _list_kinds(account, inventory)
    claim = require_claim(context, settings, inventory, live[ENDPOINT.type])
    unmanaged, excluded = _select_unmanaged(context, loaded, inventory, live, matches)
    if not any(unmanaged.values()):
        return ImportResult(problems=excluded)
    drafted = _draft(context, loaded, inventory, unmanaged)
    texts = _texts(context, loaded, out, drafted)
    env_file = (env_out or out.with_name(".env")) if drafted.variables else None
    proof = prove(context, loaded, out, drafted, texts, inventory, live, settings.keyring, env_file)
    with locked_inventory(context, base_url(settings)) as session:
        if list(session.inventory.every_record()) != list(inventory.every_record()):
            raise InvalidConfig(_inventory_changed())
        if values is not None and drafted.variables:
            write_env_file(values, str(env_out), drafted.variables)
        written = [write_file(disk or FileSystem(), context.root, path, text) for path, text in texts.items()]
        session.record_all(proof.records, with_files_of(replace(context, files=proof.files), claim.owner))
    return ImportResult(
        endpoints=tuple(
            ImportedEndpoint(name=key_of(live.name, live.kind), id=live.id, spec=item.get("specName", ""))
            for live, item in zip(drafted.live, drafted.items, strict=True)
        ),
        written=tuple(written),
        example=written[-1] if drafted.variables else "",
        values=str(env_out) if env_out and drafted.variables else "",
        variables=drafted.variables,
        problems=(*claim.problems, *excluded, *proof.problems),
        plan=proof.plan,
    )


def _texts(context: Context, loaded: LoadedConfig, out: Path, drafted: Draft) -> Mapping[Path, str]:
    """Return the new text of each file, in the order of writing."""
    root = context.root
    texts = {}
    specs_names = [*loaded.specs.entries, *(spec.name for spec in drafted.new_specs)]
    for name in ("endpoints", *(("specs",) if drafted.new_specs else ())):
        if (text := new_schema(context, name, specs_names)) is not None:
            texts[root / schema_file(name)] = text
    if drafted.new_specs:
        specs = find_specs_file(root, loaded.settings) or root / "specs.yaml"
        texts[specs] = specs_text(
            read_text(specs, RootDirectory(root)),
            [(spec_item(spec), "generated by `reconciler import`") for spec in drafted.new_specs],
            display_path(specs, root),
            modeline("specs", Path(relpath(specs, root))),
        )
    header = modeline("endpoints", Path(relpath(root / out, root))) + HEADER
    texts[root / out] = endpoints_text(header, sections_of(drafted))
    if drafted.variables:
        example = (root / out).with_name(EXAMPLE)
        texts[example] = example_text(read_text(example, RootDirectory(root)), drafted.variables)
    return texts


def _list_kinds(account: AccountReader, inventory: Inventory) -> Mapping[str, tuple[Live, ...]]:
    """Return the objects of each kind, which are listed at the same time."""
    for kind in KINDS:
        if kind != account.kind.type:
            account.of(kind).prefetch()
    ids = {kind: [record.id for record in inventory.of(kind).records.values()] for kind in KINDS}
    return {kind: list_complete(account.of(kind), ids[kind]).endpoints for kind in KINDS}


def _select_unmanaged(
    context: Context,
    loaded: LoadedConfig,
    inventory: Inventory,
    live: Mapping[str, Sequence[Live]],
    matches: tuple[str, ...],
) -> tuple[Mapping[str, tuple[Live, ...]], tuple[Problem, ...]]:
    """Return what to import of each kind, and notes about selected ones that cannot be imported."""
    candidates: dict[str, list[Live]] = {}
    taken: dict[str, list[str]] = {}
    for kind, resources in live.items():
        part, desired = inventory.of(kind), loaded.of(kind)
        managers = managed(desired, part, resources)
        candidates[kind] = [one for one in resources if one.id not in managers and not one.is_terminating]
        taken[kind] = [*(one.name for one in desired), *part.records, *part.intents]
    keys = [key_of(one.name, one.kind) for group in candidates.values() for one in group]
    if unmatched := context.selection.unmatched(keys):
        raise InvalidConfig(*unmatched)
    matching = Selection(targets=matches)
    accepted: dict[str, tuple[Live, ...]] = {}
    owners = owners_by_id(context)
    neighbors = neighbors_by_id(context) if any(candidates.values()) else {}
    problems: list[Problem] = []
    for kind, group in candidates.items():
        chosen = [
            one
            for one in group
            if context.selection.of(kind).has(one.name) and matching.of(kind).has(one.name)
        ]
        named: list[Live] = []
        for one in chosen:
            if one.id in neighbors and one.id not in owners:
                problems.append(neighbor_note(key_of(one.name, one.kind), one.id, neighbors[one.id]))
            elif has_declared_name(one, context.names):
                named.append(one)
            else:
                problems.append(not_of_environment(one, context))
        if foreign := [foreign_guard(one.name, one.id, owners[one.id]) for one in named if one.id in owners]:
            raise InvalidConfig(*foreign)
        accepted[kind], excluded = KINDS[kind].importable(named, taken[kind])
        problems += excluded
    return accepted, tuple(problems)


def _draft(
    context: Context, loaded: LoadedConfig, inventory: Inventory, unmanaged: Mapping[str, Sequence[Live]]
) -> Draft:
    """Return the YAML of all kinds. A variable has one value, whatever kinds refer to it."""
    in_use = {name: context.resolver().variable(name) for name in referenced_variables(context, loaded)}
    specs = usable_specs(loaded.specs.entries, context.resolver())
    names = {
        key: context.names.declared(name) or name
        for key, name in names_by_id(unmanaged, inventory, (*loaded.desired, *loaded.others)).items()
    }
    drafts: list[Draft] = []
    for kind, resources in unmanaged.items():
        draft = KINDS[kind].draft(
            [with_names(live, names) for live in resources],
            specs,
            spec_names=loaded.specs.entries,
            app_names=[desired.app_name for desired in loaded.desired],
            in_use=in_use,
        )
        in_use |= {variable.name: variable.value for variable in draft.variables}
        draft = replace(draft, live=tuple(resources))
        drafts.append(with_declared_names(draft, context.names))
    return Draft(
        live=tuple(live for draft in drafts for live in draft.live),
        items=tuple(item for draft in drafts for item in draft.items),
        new_specs=tuple(spec for draft in drafts for spec in draft.new_specs),
        variables=tuple(variable for draft in drafts for variable in draft.variables),
    )


def _inventory_changed() -> Problem:
    return Problem(
        code="not-imported",
        summary="nothing was written: another run changed the inventory meanwhile",
        hint="run the import again",
    )
