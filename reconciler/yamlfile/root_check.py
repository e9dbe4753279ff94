"""Files are read below one folder, links followed, so that no repository can have another file read."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from stat import S_ISREG
from typing import Final

_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NOFOLLOW | os.O_NONBLOCK
"""The last one keeps a pipe that nobody writes to from being waited for."""


class Unreadable(Exception):
    """A file that is not read: `why` is a clause about it, `way_out` what to do."""

    def __init__(self, why: str, way_out: str, code: str = "unreadable-file") -> None:
        super().__init__(why)
        self.why = why
        self.way_out = way_out
        self.code = code


@dataclass(frozen=True)
class Fence:
    """The folder of a run. What lies in it by its name must lie in it after following links as well."""

    root: Path

    @cached_property
    def _top(self) -> str:
        return os.path.realpath(self.root)

    @cached_property
    def _folders(self) -> dict[str, tuple[str, str]]:
        return {}

    def read(self, path: Path, limit: int, *, named: bool = False) -> bytes:
        """The bytes of a regular file.

        `path` is relative to the working directory, as `root` is. With `named`, because a person named it, it
        may lie elsewhere; links must then stay in the folder that it was named in. `limit` is in bytes.
        Raises Unreadable.
        """
        try:
            folder, top = self.folder(os.path.dirname(path), named=named)  # noqa: PTH120 - a Path costs more
            real = f"{folder}{os.sep}{path.name}"
            try:
                fd = os.open(real, _FLAGS)
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
                real = os.path.realpath(real)
                if not _is_below(real, top):
                    raise _leads_out(top) from None
                fd = os.open(real, _FLAGS)
            return _content(fd, limit)
        except FileNotFoundError as error:
            if path.parent.exists() and not os.access(path.parent, os.R_OK):
                way_out = "check the permissions of the folder"
                raise Unreadable("its folder cannot be listed", way_out) from error
            way_out = "check the path; it is relative to -C DIR"
            raise Unreadable("there is no such file", way_out, "file-not-found") from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise Unreadable(f"it cannot be read: {reason.lower()}", "check its permissions") from error

    def real(self, path: Path) -> PurePath:
        """Where a file is after following links, relative to the root; as it is where nobody can tell."""
        try:
            return PurePath(os.path.relpath(os.path.realpath(path), self._top))
        except (OSError, ValueError):
            return path

    def folder(self, path: str, *, named: bool = False) -> tuple[str, str]:
        """(the real path of a folder, the one that links must not lead out of). Raises Unreadable."""
        if path not in self._folders:
            real, top = os.path.realpath(path), self._top
            if not _is_below(real, top):
                if not named or _is_below(os.path.abspath(path), os.path.abspath(self.root)):  # noqa: PTH100
                    raise _leads_out(top)
                top = real
            self._folders[path] = real, top
        return self._folders[path]


def _content(fd: int, limit: int) -> bytes:
    try:
        status = os.fstat(fd)
        if not S_ISREG(status.st_mode):
            raise Unreadable("it is not a file", "name a YAML or JSON file")
        size = status.st_size
        raw = os.read(fd, size + 1) if size <= limit else b""
        while len(raw) not in (size, 0) and len(raw) <= limit and (more := os.read(fd, 2**16)):
            raw += more  # it was read in parts, or it grows
        if max(size, len(raw)) > limit:
            raise Unreadable(f"it is larger than {limit // 2**20} MiB", "split it into several files")
        return raw
    finally:
        os.close(fd)


def _is_below(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip(os.sep) + os.sep)


def _leads_out(top: str) -> Unreadable:
    return Unreadable(
        f"it leads out of {top}",
        "copy what is needed into that folder, or work in one that holds both (-C DIR)",
    )
