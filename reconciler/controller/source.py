"""The source of a controller: where the declared files come from."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from itertools import chain
from pathlib import Path
from typing import Protocol

from reconciler.config.files.discovery import file_groups
from reconciler.model.errors import SourceError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One state of the files. id: the commit, or the digest of a folder. root: the folder for -C.

    author: the name in the commit, and subject: the first line of its message; "" for a folder. Both are
    foreign text.
    """

    id: str
    root: Path
    author: str = ""
    subject: str = ""

    @property
    def message(self) -> str:
        """Return the text for the history of what is applied from these files."""
        return f"{self.subject} ({self.author})" if self.author else self.subject


class Source(Protocol):
    """Where the files come from. Called by one thread. Every method raises SourceError if that fails."""

    def poll(self) -> str:
        """Return the ID of the newest revision. It is one small request, and downloads nothing."""

    def fetch(self, revision: str) -> Revision:
        """Return that revision, downloaded if it is not there yet. An earlier one stays usable.

        It is cheap for a revision that is there, and mends it if files got lost: call it before each round.
        """

    def keep_only(self, revisions: Collection[str]) -> None:
        """Remove what was downloaded for other revisions. No error is raised."""

    def stop(self) -> None:
        """End a call of another thread that is going on, and let later ones fail."""

    def close(self) -> None:
        """Free what this process holds. No error is raised."""


class FolderSource:
    """The folder of -C. Its revision is the digest of names, sizes and times of the files that count.

    These are the endpoint files, and all files at the top: settings, specs and variables. A change of
    another file, which a value refers to, is seen by the next full reconcile.
    """

    def __init__(self, root: Path, files: Sequence[Path] = ()) -> None:
        """`files`: those of -f."""
        self._root = root
        self._files = files

    def poll(self) -> str:
        found = {*chain(*file_groups(self._root, self._files))}
        try:
            found.update(path for path in self._root.iterdir() if not path.is_dir())
        except OSError as error:
            raise SourceError(
                Problem(
                    code="no-folder",
                    summary=f"{self._root} cannot be read: {(error.strerror or str(error)).lower()}",
                    hint="check that it is there and mounted; the next poll tries again",
                )
            ) from None
        stamps = "\n".join(sorted(map(_stamp, found)))
        return hashlib.sha256(stamps.encode(errors="surrogateescape")).hexdigest()

    def fetch(self, revision: str) -> Revision:
        return Revision(id=revision, root=self._root)

    def keep_only(self, revisions: Collection[str]) -> None:
        """Do nothing: the folder is the user's."""

    def stop(self) -> None:
        """Do nothing: no call takes long."""

    def close(self) -> None:
        """Do nothing."""


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return f"{path} is not there"
    return f"{path} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"
