"""The set of files that a run reads its endpoints from, compared with the set that an inventory records."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from reconciler.config.files.discovery import file_groups
from reconciler.model.command import command_line
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.resource import Owner
from reconciler.workflow.runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSet:
    """The files of a run: its root, and the paths given with `-f`; without any, the default search.

    `root` and `files` are real paths, so that other spellings compare as equal.
    """

    root: str
    files: frozenset[str]

    @classmethod
    def of(cls, context: Context) -> FileSet:
        """Return the set of a run."""
        return cls._of(os.path.realpath(context.root), map(str, context.files))

    @classmethod
    def recorded(cls, context: Context, owner: Owner) -> FileSet | None:
        """Return the set that an inventory was written from; None if it records none."""
        if owner.files is None:
            return None
        folder = context.store.folder or context.root
        root = os.path.realpath(folder / owner.root) if owner.root else os.path.realpath(context.root)
        return cls._of(root, owner.files)

    @classmethod
    def _of(cls, root: str, files: Iterable[str]) -> FileSet:
        return cls(root=root, files=frozenset(os.path.realpath(Path(root, file)) for file in files))

    @property
    def existing(self) -> frozenset[str]:
        """Return the files that the set finds now."""
        paths = chain(*file_groups(Path(self.root), [Path(file) for file in sorted(self.files)]))
        return frozenset(map(os.path.realpath, paths))

    @property
    def relative(self) -> tuple[str, ...]:
        """Return the files as an inventory records them."""
        return tuple(sorted(_relative_path(self.root, file) or file for file in self.files))

    def path_from(self, folder: Path) -> str:
        """Return the path from the inventory's folder to the root; "" if they share no parent folder."""
        return _relative_path(os.path.realpath(folder), self.root)

    @property
    def is_gone(self) -> bool:
        """Return whether none of the files exists any more."""
        return not any(map(os.path.exists, self.existing))

    def is_same_as(self, other: FileSet) -> bool:
        """Return whether both have the same `-f` options or find the same files now."""
        if self == other or (self.files and self.files == other.files):
            return True
        return bool(existing := self.existing) and existing == other.existing

    def includes(self, other: FileSet) -> bool:
        """Return whether this set reads every file of the other, and overlays none of them.

        A search overlays no file, so one that finds all files of the other has only grown. Files that no
        longer exist were moved or deleted on purpose.
        """
        if self.is_same_as(other):
            return True
        files = {file for file in other.existing if Path(file).exists()}
        return not self.files and bool(files) and files <= self.existing

    def text(self, other: FileSet) -> str:
        """Return the options to type for this set, and its root if that is not the root of the other."""
        files = " ".join(command_line("-f", file) for file in self.relative)
        where = f" in {self.root}" if self.root != other.root else ""
        return (files or "endpoints.yaml and endpoints/") + where


def _relative_path(start: str, path: str) -> str:
    """Return the relative path, or "" if only the root of the file system is common to both."""
    common = os.path.commonpath((start, path))
    return "" if common == Path(common).anchor else Path(os.path.relpath(path, start)).as_posix()
