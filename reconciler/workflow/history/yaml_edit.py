"""`reconciler rollback --write`: edit the YAML of an endpoint to a version of its history, and verify it."""

from __future__ import annotations

from dataclasses import replace

from reconciler.config.declarations import read_declarations
from reconciler.config.loader import LoadedConfig
from reconciler.config.specs import usable_specs
from reconciler.inventory.history_entries import Version
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.model.resource import Desired, address
from reconciler.workflow.history.rollback import desired_from, different_paths
from reconciler.workflow.imperative import find_declared_as_applied
from reconciler.workflow.runtime.config import load_files
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.files.edits import EditedFile, edit_files, write_file
from reconciler.yamlfile.edits import prefix_edits


def edit_to_version(context: Context, version: Version) -> tuple[EditedFile, ...]:
    """Return the edited file after which the YAML declares that version; () if it does already.

    Nothing is written. The last file that declares the endpoint is edited. Raise InvalidConfig if it is not
    declared, if a value is a reference that says something else, or if the edit would change anything else.
    """
    before = load_files(context, lenient=True)
    declared = find_declared_as_applied(context, before, version.name)
    declarations = read_declarations(context.root, context.files, (version.name,), context.names)
    source = declarations.get(version.name)
    if declared is None or source is None:
        raise InvalidConfig(*(before.errors or (_not_declared(version.name),)))
    restored = desired_from(context, version, declared)
    paths = list(different_paths(declared, restored))
    if not paths:
        return ()
    edits, problems = ENDPOINT.yaml_edits(
        source.merged,
        paths,
        restored.fields,
        beneath=source.inherited,
        specs=usable_specs(before.specs.entries, context.resolver(lenient=True)),
        from_history=True,
    )
    if problems:
        raise InvalidConfig(*(replace(problem, code="cannot-write-version") for problem in problems))
    item = source.items[-1]
    files = edit_files({item: prefix_edits(item.path, edits)})
    _verify(context, before, files, restored)
    return files


def can_edit(context: Context, name: str) -> bool:
    """Return whether the lines of an endpoint are its own; those of a `matrix` declare others too."""
    source = read_declarations(context.root, context.files, (name,), context.names).get(name)
    return source is not None and not any(item.refusal for item in source.items)


def write_edited(files: tuple[EditedFile, ...]) -> None:
    """Write the edited files. Raise InvalidConfig if one has changed meanwhile or cannot be written."""
    for file in files:
        if file.file.read_text(encoding="utf-8") != file.before:
            raise InvalidConfig(_changed_meanwhile(file))
        write_file(file)


def _verify(context: Context, before: LoadedConfig, files: tuple[EditedFile, ...], restored: Desired) -> None:
    """Raise InvalidConfig unless the edited files declare the version, and all else as before."""
    after = load_files(context, lenient=True, edited=files)
    if after.errors:
        raise InvalidConfig(*after.errors)
    edited = find_declared_as_applied(context, after, restored.name)
    left = next(different_paths(edited, restored), None) if edited else ()
    if left is not None:
        raise InvalidConfig(
            _cannot_edit(restored.name, f"{ENDPOINT.table.label(left) if left else 'it'} would still differ")
        )
    others = {desired.name: desired for desired in before.desired if desired.name != restored.name}
    if others != {desired.name: desired for desired in after.desired if desired.name != restored.name}:
        raise InvalidConfig(_cannot_edit(restored.name, "another endpoint would change as well"))


def _not_declared(name: str) -> Problem:
    return Problem(
        code="not-declared",
        summary=f"`{name}` is not declared, so there is no file to edit",
        hint="roll back without --write",
        address=address(name),
    )


def _cannot_edit(name: str, reason: str) -> Problem:
    return Problem(
        code="cannot-edit",
        summary=f"the version cannot be written into the YAML of `{name}`: {reason}",
        hint="an anchor, a merge key or a default may be the cause; edit the file by hand",
        address=address(name),
    )


def _changed_meanwhile(file: EditedFile) -> Problem:
    return Problem(
        code="cannot-edit",
        summary=f"{file.shown} was changed during the rollback and is not written",
        hint="run the command again; the endpoint is rolled back already",
    )
