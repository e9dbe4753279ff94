"""The source of a controller: where the declared files come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from reconciler.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One state of the files. id: the commit, or the digest of a folder. root: the folder for -C."""

    id: str
    root: Path


class Source(Protocol):
    """Where the files come from. Called by one thread. Every method raises SourceError if that fails."""

    def poll(self) -> str:
        """Return the ID of the newest revision. It is one small request, and downloads nothing."""

    def fetch(self, revision: str) -> Revision:
        """Return that revision, downloaded if it is not there yet. An earlier one stays usable."""


class FolderSource:
    """The folder of -C. Its revision is the digest of names, sizes and times of the files that count."""

    def __init__(self, root: Path, digest: Callable[[Path], str]) -> None:
        self._root = root
        self._digest = digest

    def poll(self) -> str:
        return self._digest(self._root)

    def fetch(self, revision: str) -> Revision:
        return Revision(id=revision, root=self._root)
