"""Verification of an import: with the new files and records, a plan has no changes for its endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os.path import relpath
from pathlib import Path

from reconciler.config.files.discovery import display_path, path_of_display
from reconciler.config.loader import LoadedConfig, load
from reconciler.kinds.draft import Draft
from reconciler.model.command import command_line, shared_options_in_hints, shell_quote
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Change, NoOp
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Inventory, Live, Tracked, address
from reconciler.model.secrets import Keyring
from reconciler.planning.planner import make_plan
from reconciler.planning.records import applied_record
from reconciler.reports.terminal.values import field_name
from reconciler.reports.terminal.values import shown as value_shown
from reconciler.workflow.importer.references import with_ids
from reconciler.workflow.runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The records that make the plan empty, and the files and the command of that plan."""

    records: tuple[Tracked, ...]
    files: tuple[Path, ...]
    plan: str
    problems: tuple[Problem, ...]


def prove(
    context: Context,
    before: LoadedConfig,
    out: Path,
    drafted: Draft,
    texts: Mapping[Path, str],
    inventory: Inventory,
    live: Mapping[str, Sequence[Live]],
    keyring: Keyring,
    env_file: Path | None,
) -> Proof:
    """Return the proof for these texts; `env_file` will hold the values of their variables.

    Raise InvalidConfig with the changes that a plan would make.
    """
    loaded, files = _loaded(context, before, out, drafted, texts)
    ids = {address(live.name, live.kind): live.id for live in drafted.live}
    declared = {kind: with_ids(loaded.of(kind), drafted.live, inventory) for kind in live}
    records = {
        desired.address: applied_record(desired, ids[desired.address], keyring)
        for group in declared.values()
        for desired in group
        if desired.address in ids
    }
    after = inventory.with_records(records.values())
    plans = [make_plan(declared[kind], after.of(kind), live[kind], keyring) for kind in live]
    changes = [change for plan in plans for change in plan.changes if change.address in ids]
    problems = [*loaded.problems, *(problem for plan in plans for problem in plan.problems)]
    errors = [
        *(problem for problem in problems if problem.is_error),
        *(_unexpected_change(change, ids[change.address]) for change in changes if not _is_unchanged(change)),
    ]
    if errors or len(changes) != len(ids):
        raise InvalidConfig(*errors, _nothing_written())
    env_files = context.env_files if env_file is None else dict.fromkeys((*context.env_files, env_file))
    options = replace(context.options, files=tuple(map(str, files)), env_files=tuple(map(str, env_files)))
    with shared_options_in_hints(options):
        command = command_line("reconciler", "plan")
    notes = () if files == context.files else (_not_searched(out, command),)
    return Proof(records=tuple(map(records.__getitem__, ids)), files=files, plan=command, problems=notes)


def _loaded(
    context: Context, before: LoadedConfig, out: Path, drafted: Draft, texts: Mapping[Path, str]
) -> tuple[LoadedConfig, tuple[Path, ...]]:
    """Return the configuration with the new texts, and the `-f` options that include the new file."""
    environ = {**context.environ, **{variable.name: variable.value for variable in drafted.variables}}
    instead = {path.absolute(): text for path, text in texts.items()}

    def read(files: tuple[Path, ...]) -> LoadedConfig:
        return load(
            context.root,
            files,
            environ=environ,
            dotenv=context.dotenv,
            lenient=True,
            overrides=instead,
            environment=context.environment_name,
            names=context.names,
        )

    loaded = read(context.files)
    if display_path(context.root / out, context.root) in loaded.endpoint_files:
        return loaded, context.files
    searched = (
        Path(relpath(path_of_display(name, context.root), context.root)) for name in before.endpoint_files
    )
    files = (*(context.files or searched), out)
    return read(files), files


def _is_unchanged(change: Change) -> bool:
    return isinstance(change, NoOp) and not change.is_stale


def _not_searched(out: Path, command: str) -> Problem:
    return Problem(
        code="not-searched",
        severity=Severity.WARNING,
        summary=f"{out} is not read by default, and a plan without it would delete its endpoints",
        hint=f"{command}   reads it; or move it to endpoints.yaml or into endpoints/",
    )


def _unexpected_change(change: Change, object_id: str) -> Problem:
    fields = [
        f"{field_name(field)}: {value_shown(field.before)} is live,"
        f" {value_shown(field.after)} would be declared"
        for field in change.fields
    ]
    return Problem(
        code="import-unproven",
        summary=f"`{change.name}` ({object_id}) cannot be imported: the next plan would {change.action} it",
        detail="\n".join(fields),
        hint=f"exclude it with --exclude {shell_quote(change.name)}",
        address=change.address,
    )


def _nothing_written() -> Problem:
    return Problem(
        code="not-imported",
        summary="nothing was written: the plan after the import would not be empty",
        hint="exclude the endpoints above with --exclude NAME",
    )
