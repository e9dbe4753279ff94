"""Edits of YAML and JSON files as text, which keep comments and layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.config.declarations import SourceItem
from reconciler.inventory.files import write_user_file
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.yamlfile.editor import edit_text
from reconciler.yamlfile.edits import Edit, Remove


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedFile:
    """A file before and after its edits; `shown` is its name for the user."""

    file: Path
    shown: str
    before: str
    after: str


def edit_files(edits: Mapping[SourceItem, tuple[Edit, ...]]) -> tuple[EditedFile, ...]:
    """Return each file with its edits made in memory. Raise InvalidConfig if an item cannot be edited.

    Edits are made from the end of a file to its start, and removals last, so that no edit moves the position
    of another.
    """
    if refusals := [item.refusal for item in edits if item.refusal is not None]:
        raise InvalidConfig(*refusals)
    ordered = sorted(edits, key=lambda item: item.path, reverse=True)
    ordered.sort(key=lambda item: Remove(path=item.path) in edits[item])
    by_file: dict[Path, list[SourceItem]] = {}
    for item in ordered:
        by_file.setdefault(item.file, []).append(item)
    return tuple(
        edit_file(file, items[0].shown, [edit for item in items for edit in edits[item]])
        for file, items in by_file.items()
    )


def edit_file(file: Path, shown: str, edits: Sequence[Edit]) -> EditedFile:
    """Return a file with these edits made in memory. Raise InvalidConfig if it cannot be edited."""
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            before = opened.read()
    except (OSError, ValueError) as error:
        raise InvalidConfig(
            Problem(code="cannot-edit", summary=f"{shown} cannot be edited: it is not UTF-8 text")
        ) from error
    after = edit_text(before, edits, json=file.suffix == ".json", shown=shown)
    return EditedFile(file=file, shown=shown, before=before, after=after)


def write_file(file: EditedFile) -> None:
    """Replace the file. Raise InvalidConfig if that fails; the file is then unchanged."""
    try:
        write_user_file(file.file, file.after.encode())
    except OSError as error:
        raise InvalidConfig(
            Problem(
                code="cannot-write",
                summary=f"cannot write {file.shown}: {error.strerror or error}",
                hint="check its permissions; the file is unchanged",
            )
        ) from error
