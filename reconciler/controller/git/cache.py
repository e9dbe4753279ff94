"""The folder for checkouts. It belongs to one process as long as that lives, so nobody else changes it."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from collections.abc import Collection, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path

from reconciler.controller.git.address import is_commit
from reconciler.model.errors import SourceError
from reconciler.model.problem import Problem


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of this program below `XDG_CACHE_HOME`, which is `~/.cache` if it is not set.

    The path is relative if the user has no home either.
    """
    named = Path(environ.get("XDG_CACHE_HOME", ""))
    home = Path(os.path.expanduser(environ.get("HOME") or "~"))  # noqa: PTH111 - Path raises without a home
    return (named if named.is_absolute() else home / ".cache") / "novita-reconciler" / "git"


class Cache:
    """A numbered folder `parent/0`, `parent/1`, ... that no other process uses.

    A later process takes over the first one that is free, with its checkouts.
    """

    def __init__(self, parent: Path) -> None:
        """Take a folder. Raise SourceError if none can be made."""
        try:
            if not parent.is_absolute():
                raise FileNotFoundError(None, "this user has no home")
            parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _check_owner(parent)
            self._lock, self.folder = _free_folder(parent)
            self.folder.mkdir(exist_ok=True, mode=0o700)
            for left in self.folder.iterdir():
                if not is_commit(left.name):
                    remove(left)
        except OSError as error:
            raise unusable(parent, error) from None

    def keep_only(self, commits: Collection[str]) -> None:
        """Remove the checkouts of all other commits."""
        with suppress(OSError):
            for found in self.folder.iterdir():
                if found.name not in commits:
                    remove(found)

    def close(self) -> None:
        """Give the folder free for other processes."""
        os.close(self._lock)


def unusable(folder: Path, error: OSError) -> SourceError:
    """Return the error of a folder that cannot be used."""
    summary = f"{folder} cannot keep the checkouts of git: {(error.strerror or str(error)).lower()}"
    hint = "name a folder of this user with some free space in XDG_CACHE_HOME"
    return SourceError(Problem(code="git-cache", summary=summary, hint=hint))


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder. It gets another name first, so that no part of it is used."""
    aside = path.with_name(f"removed-{path.name}") if is_commit(path.name) else path
    with suppress(OSError):
        path.rename(aside)
    if aside.is_symlink() or not aside.is_dir():
        aside.unlink(missing_ok=True)
    else:
        shutil.rmtree(aside, ignore_errors=True)


def _check_owner(folder: Path) -> None:
    """Raise PermissionError if another user could put files there."""
    found = folder.stat()
    if found.st_uid != os.geteuid() or found.st_mode & stat.S_IWOTH:
        raise PermissionError(None, "other users can write there")


def _free_folder(parent: Path) -> tuple[int, Path]:
    """Return the open lock of the first folder that no process uses, and the folder."""
    for number in count():
        lock = os.open(
            parent / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return lock, parent / str(number)
    raise AssertionError("count() does not end")
