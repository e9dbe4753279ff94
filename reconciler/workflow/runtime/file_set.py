"""The set of files that a run reads its endpoints from, compared with the set that an inventory records."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from reconciler.config.files.discovery import groups
from reconciler.inventory.paths import resolve
from reconciler.model.command import command_line
from reconciler.model.owner import Owner
from reconciler.workflow.runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSet:
    """The files that a run reads its endpoints from: a root, and what `-f` named; none is the usual search.

    `root` and `files` are real paths, so that spellings do not count.
    """

    root: str
    files: frozenset[str]

    @classmethod
    def of(cls, context: Context) -> FileSet:
        """That of a run."""
        return cls._of(os.path.realpath(context.root), map(str, context.files))

    @classmethod
    def recorded(cls, context: Context, owner: Owner) -> FileSet | None:
        """The one that an inventory was written from; None where it does not say."""
        if owner.files is None:
            return None
        folder = resolve(context.state_path).parent
        root = os.path.realpath(folder / owner.root) if owner.root else os.path.realpath(context.root)
        return cls._of(root, owner.files)

    @classmethod
    def _of(cls, root: str, files: Iterable[str]) -> FileSet:
        return cls(root=root, files=frozenset(os.path.realpath(Path(root, file)) for file in files))

    @property
    def read(self) -> frozenset[str]:
        """The files that are there now."""
        found = chain(*groups(Path(self.root), [Path(file) for file in sorted(self.files)]))
        return frozenset(map(os.path.realpath, found))

    @property
    def relative(self) -> tuple[str, ...]:
        """The files as an inventory records them."""
        return tuple(sorted(_way(self.root, file) or file for file in self.files))

    def way(self, inventory: Path) -> str:
        """The way from an inventory's folder to the root; "" where they have nothing in common."""
        return _way(os.path.realpath(resolve(inventory).parent), self.root)

    @property
    def is_gone(self) -> bool:
        """Whether none of the files is there any more."""
        return not any(map(os.path.exists, self.read))

    def reads_as(self, other: FileSet) -> bool:
        """Whether both are the same files: named alike, or found to be the same now."""
        if self == other or (self.files and self.files == other.files):
            return True
        return bool(found := self.read) and found == other.read

    def takes_in(self, other: FileSet) -> bool:
        """Whether nothing of the other is left out or overlaid.

        A search puts no file over another, so one that finds all files of the other is that, grown. A file
        that is there no more was moved or deleted on purpose.
        """
        if self.reads_as(other):
            return True
        found = {file for file in other.read if Path(file).exists()}
        return not self.files and bool(found) and found <= self.read

    def shown(self, other: FileSet) -> str:
        """The set as it may be typed in this root, with the root where the other has another one."""
        files = " ".join(command_line("-f", file) for file in self.relative)
        where = f" in {self.root}" if self.root != other.root else ""
        return (files or "endpoints.yaml and endpoints/") + where


def _way(start: str, path: str) -> str:
    """The relative path, as long as the two have more in common than the root of the disk."""
    common = os.path.commonpath((start, path))
    return "" if common == Path(common).anchor else Path(os.path.relpath(path, start)).as_posix()
