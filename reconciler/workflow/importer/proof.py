"""The proof of an import: with the new files and records, no plan has anything to do about its endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from os.path import relpath
from pathlib import Path

from reconciler.config.files.discovery import display_path, path_of_display
from reconciler.config.loader import LoadedConfig, load
from reconciler.kinds.base import Draft
from reconciler.model.command import command_line, shared_options_in_hints, shell_quote
from reconciler.model.errors import InvalidConfig
from reconciler.model.plan import Change, NoOp
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Inventory, Live, Tracked
from reconciler.model.secrets import Keyring
from reconciler.planning.planner import make_plan
from reconciler.planning.records import applied_record
from reconciler.reports.terminal.values import dotted_path
from reconciler.reports.terminal.values import shown as value_shown
from reconciler.workflow.runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The records that make the plan empty, and the `-f` of the command that makes such a plan."""

    records: tuple[Tracked, ...]
    files: tuple[Path, ...]
    plan: str
    problems: tuple[Problem, ...]


def proven(
    context: Context,
    before: LoadedConfig,
    out: Path,
    drafted: Draft,
    texts: Mapping[Path, str],
    inventory: Inventory,
    live: Iterable[Live],
    keyring: Keyring,
    env_file: Path | None,
) -> Proof:
    """The proof for these texts; `env_file` is where the values of their variables will be.

    Raises InvalidConfig with what would not be as it is.
    """
    loaded, files = _loaded(context, before, out, drafted, texts)
    ids = {one.name: one.id for one in drafted.endpoints}
    records = {
        one.name: applied_record(one, ids[one.name], keyring) for one in loaded.desired if one.name in ids
    }
    after = replace(inventory, records={**inventory.records, **records})
    made = make_plan(loaded.desired, after, live, keyring)
    changes = [change for change in made.changes if change.name in ids]
    bad = [
        *(one for one in (*loaded.problems, *made.problems) if one.is_error),
        *(_unproven(change, ids[change.name]) for change in changes if not _is_settled(change)),
    ]
    if bad or len(changes) != len(ids):
        raise InvalidConfig(*bad, _nothing_written())
    env_files = context.env_files if env_file is None else dict.fromkeys((*context.env_files, env_file))
    options = replace(context.options, files=tuple(map(str, files)), env_files=tuple(map(str, env_files)))
    with shared_options_in_hints(options):
        command = command_line("reconciler", "plan")
    problems = () if files == context.files else (_not_searched(out, command),)
    return Proof(records=tuple(records[name] for name in ids), files=files, plan=command, problems=problems)


def _loaded(
    context: Context, before: LoadedConfig, out: Path, drafted: Draft, texts: Mapping[Path, str]
) -> tuple[LoadedConfig, tuple[Path, ...]]:
    """(the files as they will be, the `-f` that it takes to read the new one among them)."""
    environ = {**context.environ, **{one.name: one.value for one in drafted.variables}}
    instead = {path.absolute(): text for path, text in texts.items()}

    def read(files: tuple[Path, ...]) -> LoadedConfig:
        return load(
            context.root, files, environ=environ, dotenv=context.dotenv, lenient=True, overrides=instead
        )

    loaded = read(context.files)
    if display_path(context.root / out, context.root) in loaded.endpoint_files:
        return loaded, context.files
    searched = (
        Path(relpath(path_of_display(name, context.root), context.root)) for name in before.endpoint_files
    )
    files = (*(context.files or searched), out)
    return read(files), files


def _is_settled(change: Change) -> bool:
    return isinstance(change, NoOp) and not change.is_stale


def _not_searched(out: Path, command: str) -> Problem:
    return Problem(
        code="not-searched",
        severity=Severity.WARNING,
        summary=f"no plan reads {out} by itself, and one without it would delete what it declares",
        hint=f"{command}   reads it; or move it to endpoints.yaml or into endpoints/",
    )


def _unproven(change: Change, object_id: str) -> Problem:
    fields = [
        f"{dotted_path(field.path)}: {value_shown(field.before)} is live,"
        f" {value_shown(field.after)} would be declared"
        for field in change.fields
    ]
    return Problem(
        code="import-unproven",
        summary=f"`{change.name}` ({object_id}) would not stay as it is: the plan would {change.action} it",
        detail="\n".join(fields),
        hint=f"leave it out with --exclude {shell_quote(change.name)}",
        address=change.address,
    )


def _nothing_written() -> Problem:
    return Problem(
        code="not-imported",
        summary="nothing was written: the plan after the import would not be empty",
        hint="leave out what is named above with --exclude NAME",
    )
