"""The worker counts of one endpoint, declared in its file: comments stay, and the result is proven."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.config.declarations import declarations
from reconciler.config.loader import Loaded, load
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.command import Operand, command_line
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.model.resource import Desired, address
from reconciler.workflow.imperative import from_files
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.file_edits import EditedFile, edit_files, write_file
from reconciler.yamlfile.edits import under


def write_worker_counts(context: Context, name: str, low: int | None, high: int | None) -> EditedFile:
    """Declare the least and the most workers (count) of an endpoint; None leaves one as it is declared.

    The last file that speaks of it is edited. Raises InvalidConfig where it is not declared, where a
    reference says the number, and where the edit would change anything else; then nothing is written.
    """
    before = from_files(context)
    declared = declarations(context.root, context.files).get(name)
    if declared is None:
        raise InvalidConfig(_undeclared(name))
    counts = {key: value for key, value in (("minNum", low), ("maxNum", high)) if value is not None}
    edits, problems = ENDPOINT.yaml_edits(
        declared.merged, ENDPOINT.replica_range, {"workerConfig": counts}, beneath=declared.beneath
    )
    if problems:
        raise InvalidConfig(*problems)
    item = declared.items[-1]
    (file,) = edit_files({item: under(item.spot, edits)})
    _prove(context, before, file, name, counts)
    write_file(file)
    return file


def _prove(context: Context, before: Loaded, file: EditedFile, name: str, counts: Mapping[str, int]) -> None:
    """Raises InvalidConfig unless the files would say the counts, and of all else what they say now."""
    texts = {file.file.absolute(): file.after}
    after = load(
        context.root,
        context.files,
        environ=context.environ,
        dotenv=context.dotenv,
        lenient=True,
        instead=texts,
    )
    if after.errors:
        raise InvalidConfig(*after.errors)
    was = _by_name(before)
    worker = {**was[name].fields["workerConfig"], **counts}
    meant = replace(was[name], fields={**was[name].fields, "workerConfig": worker})
    if _by_name(after) != {**was, name: meant}:
        raise InvalidConfig(_more_than_meant(name))


def _by_name(loaded: Loaded) -> dict[str, Desired]:
    return {one.name: one for one in loaded.desired}


def _undeclared(name: str) -> Problem:
    return Problem(
        code="not-declared",
        summary=f"`{name}` is not declared, so there is nothing to edit",
        hint=command_line("reconciler", "scale", Operand(name), Operand("N"))
        + "   without --write scales it by hand",
        address=address(name),
    )


def _more_than_meant(name: str) -> Problem:
    return Problem(
        code="cannot-edit",
        summary=f"the worker counts of `{name}` cannot be edited without changing more",
        hint="an anchor or a default stands in the way; make the change by hand",
        address=address(name),
    )
