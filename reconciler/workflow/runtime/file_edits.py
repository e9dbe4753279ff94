"""Files that are edited as text: what they hold before and after, and the write itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.config.declarations import Item
from reconciler.inventory.files import write_user_file
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.yamlfile.editor import edited
from reconciler.yamlfile.edits import Edit, Remove


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedFile:
    """One file, before and after; `shown` is how the user knows it."""

    file: Path
    shown: str
    before: str
    after: str


def rewritten(edits: Mapping[Item, tuple[Edit, ...]]) -> tuple[EditedFile, ...]:
    """Each file with its edits, from its end to its start, so that none moves what another is about.

    Items that leave do so after all others were edited.
    """
    ordered = sorted(edits, key=lambda item: item.spot, reverse=True)
    ordered.sort(key=lambda item: Remove(path=item.spot) in edits[item])
    by_file: dict[Path, list[Item]] = {}
    for item in ordered:
        by_file.setdefault(item.file, []).append(item)
    return tuple(
        _file_with(file, items[0].shown, [edit for item in items for edit in edits[item]])
        for file, items in by_file.items()
    )


def _file_with(file: Path, shown: str, edits: Sequence[Edit]) -> EditedFile:
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            before = opened.read()
    except (OSError, ValueError) as error:
        raise InvalidConfig(
            Problem(code="cannot-edit", summary=f"{shown} cannot be edited: it is not UTF-8 text")
        ) from error
    after = edited(before, edits, json=file.suffix == ".json", shown=shown)
    return EditedFile(file=file, shown=shown, before=before, after=after)


def write(file: EditedFile) -> None:
    """Replace the file. Raises InvalidConfig when that cannot be done; then nothing of it was changed."""
    try:
        write_user_file(file.file, file.after.encode())
    except OSError as error:
        raise InvalidConfig(
            Problem(
                code="cannot-write",
                summary=f"cannot write {file.shown}: {error.strerror or error}",
                hint="check its permissions; nothing of it was changed",
            )
        ) from error
