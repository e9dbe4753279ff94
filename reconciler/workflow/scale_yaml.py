"""`reconciler scale --write`: edit the worker counts of an endpoint in its YAML and verify the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.config.declarations import read_declarations
from reconciler.config.loader import LoadedConfig
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.command import Operand, command_line
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.model.resource import Desired, address
from reconciler.workflow.imperative import read_files
from reconciler.workflow.runtime.config import load_files
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.files.edits import EditedFile, edit_files, write_file
from reconciler.yamlfile.edits import prefix_edits


def write_worker_counts(context: Context, name: str, low: int | None, high: int | None) -> EditedFile:
    """Declare the minimum and maximum worker counts of an endpoint; None keeps the declared count.

    The last file that declares it is edited. Raise InvalidConfig, and write nothing, if it is not declared,
    if a count is a reference, or if the edit would change anything else.
    """
    before = read_files(context)
    declared = read_declarations(context.root, context.files, (name,), context.names).get(name)
    if declared is None:
        raise InvalidConfig(_not_declared(name))
    counts = {key: value for key, value in (("minNum", low), ("maxNum", high)) if value is not None}
    edits, problems = ENDPOINT.yaml_edits(
        declared.merged, ENDPOINT.replica_range, {"workerConfig": counts}, beneath=declared.inherited
    )
    if problems:
        raise InvalidConfig(*problems)
    item = declared.items[-1]
    (file,) = edit_files({item: prefix_edits(item.path, edits)})
    _verify(context, before, file, name, counts)
    write_file(file)
    return file


def _verify(
    context: Context, before: LoadedConfig, file: EditedFile, name: str, counts: Mapping[str, int]
) -> None:
    """Raise InvalidConfig unless the edited file changes these counts and nothing else."""
    after = load_files(context, lenient=True, edited=[file])
    if after.errors:
        raise InvalidConfig(*after.errors)
    expected = _by_name(before)
    fields = expected[name].fields
    worker = {**fields["workerConfig"], **counts}
    expected[name] = replace(expected[name], fields={**fields, "workerConfig": worker})
    if _by_name(after) != expected:
        raise InvalidConfig(_changes_more(name))


def _by_name(loaded: LoadedConfig) -> dict[str, Desired]:
    return {desired.name: desired for desired in loaded.desired}


def _not_declared(name: str) -> Problem:
    return Problem(
        code="not-declared",
        summary=f"`{name}` is not declared, so there is no file to edit",
        hint=command_line("reconciler", "scale", Operand(name), Operand("N"))
        + "   scales it without the YAML",
        address=address(name),
    )


def _changes_more(name: str) -> Problem:
    return Problem(
        code="cannot-edit",
        summary=f"the worker counts of `{name}` cannot be edited without other changes",
        hint="an anchor or a default may be the cause; edit the file by hand",
        address=address(name),
    )
