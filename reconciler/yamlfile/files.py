"""Files read safely: below one root directory after following links, decoded, or overridden by texts."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path, PurePath
from stat import S_ISREG
from types import MappingProxyType
from typing import Final, TypeAlias

from reconciler.model.lazy_dataclass import dataclass

FileOverrides: TypeAlias = Mapping[Path, str]
"""`normalized_path` -> the text that is read instead of the file, which need not exist."""

NO_OVERRIDES: Final[FileOverrides] = MappingProxyType({})

BOMS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)

_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NOFOLLOW | os.O_NONBLOCK
"""With O_NONBLOCK, opening a pipe that has no writer returns at once."""


class UnreadableFile(Exception):
    """A file cannot or must not be read. `reason` is a clause about the file, `hint` says what to do."""

    def __init__(self, reason: str, hint: str, code: str = "unreadable-file") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.code = code


@dataclass(frozen=True)
class RootDirectory:
    """The root directory of a run. Files below it must stay below it after following links."""

    path: Path

    @cached_property
    def _real_path(self) -> str:
        return os.path.realpath(self.path)

    @cached_property
    def _folders(self) -> dict[str, tuple[str, str]]:
        return {}

    def read(self, path: Path, limit: int, *, named: bool = False) -> bytes:
        """Return the bytes of a regular file of at most `limit` bytes. Raise UnreadableFile.

        `path` is relative to the working directory, as the root is. A file that the user `named` may be
        outside of the root; its links must then stay in its own folder.
        """
        try:
            folder, top = self.check_folder(os.path.dirname(path), named=named)  # noqa: PTH120 - Path is slower
            real = f"{folder}{os.sep}{path.name}"
            try:
                fd = os.open(real, _FLAGS)
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
                real = os.path.realpath(real)
                if not _is_below(real, top):
                    raise _outside(top) from None
                fd = os.open(real, _FLAGS)
            return _content(fd, limit)
        except FileNotFoundError as error:
            if path.parent.exists() and not os.access(path.parent, os.R_OK):
                hint = "check the permissions of the folder"
                raise UnreadableFile("its folder cannot be listed", hint) from error
            hint = "check the path; it is relative to -C DIR"
            raise UnreadableFile("there is no such file", hint, "file-not-found") from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UnreadableFile(f"it cannot be read: {reason.lower()}", "check its permissions") from error

    def real_path(self, path: Path) -> PurePath:
        """Return the path after following links, relative to the root; the path itself if that fails."""
        try:
            return PurePath(os.path.relpath(os.path.realpath(path), self._real_path))
        except (OSError, ValueError):
            return path

    def check_folder(self, path: str, *, named: bool = False) -> tuple[str, str]:
        """Return the real path of a folder, and the folder that links must stay in. Raise UnreadableFile."""
        if path not in self._folders:
            real, top = os.path.realpath(path), self._real_path
            if not _is_below(real, top):
                if not named or _is_below(os.path.abspath(path), os.path.abspath(self.path)):  # noqa: PTH100
                    raise _outside(top)
                top = real
            self._folders[path] = real, top
        return self._folders[path]


def normalized_path(path: Path) -> Path:
    """Return an absolute path that can be compared with others; symbolic links are kept."""
    return Path(os.path.normpath(path.absolute()))


def decode_text(raw: bytes) -> str | None:
    """Return the text without its byte order mark, or None if it is not valid; the default is UTF-8."""
    content, encoding = split_bom(raw)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def split_bom(raw: bytes) -> tuple[bytes, str]:
    """Return the bytes without their byte order mark, and the encoding."""
    bom, encoding = next((known for known in BOMS if raw.startswith(known[0])), (b"", "utf-8"))
    return raw[len(bom) :], encoding


def _content(fd: int, limit: int) -> bytes:
    try:
        status = os.fstat(fd)
        if not S_ISREG(status.st_mode):
            raise UnreadableFile("it is not a file", "name a YAML or JSON file")
        size = status.st_size
        raw = os.read(fd, size + 1) if size <= limit else b""
        while len(raw) not in (size, 0) and len(raw) <= limit and (more := os.read(fd, 2**16)):
            raw += more  # the file was read in parts, or it grows
        if max(size, len(raw)) > limit:
            raise UnreadableFile(f"it is larger than {limit // 2**20} MiB", "split it into several files")
        return raw
    finally:
        os.close(fd)


def _is_below(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip(os.sep) + os.sep)


def _outside(top: str) -> UnreadableFile:
    return UnreadableFile(
        f"it leads out of {top}",
        "copy the file into that folder, or use a folder that contains both (-C DIR)",
    )
