"""The few file operations that the inventory is made of, so that a test can stop between any two.

Its files are opened here and nowhere else, and only as what they should be: ordinary files of their own. A
link, a pipe or a device in their place may have come with somebody's pull request, and is refused.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from os.path import normpath
from pathlib import Path
from typing import Final

from reconciler.model.command import shell_quote
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem

LARGEST: Final = 256 * 2**20
"""Bytes; the map of 100,000 endpoints has a quarter of it."""

_WRITING: Final = os.O_WRONLY | os.O_RDWR


def resolve(path: Path) -> Path:
    """The file itself behind any symlink: it is what gets replaced, and its companions stand beside it."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def path_under(root: Path, path: Path) -> Path:
    """The file `root / path`. Raises InventoryError for a folder, and where links lead it out of the root.

    Such a link may have come with somebody's pull request. A path that names another place outright may be
    followed: whoever types it knows.
    """
    whole = root / path
    if not whole.name or whole == root:
        raise InventoryError(
            Problem(
                code="no-file",
                summary=f"--state {shell_quote(str(path))} names a folder, and an inventory is a file",
                hint=f"name a file in it: `--state {shell_quote(str(path / 'novita.json'))}`",
            )
        )
    real, base = Path(os.path.realpath(whole)), Path(os.path.realpath(root))
    is_named_below = Path(normpath(whole.absolute())).is_relative_to(normpath(root.absolute()))
    if is_named_below and not real.is_relative_to(base):
        raise InventoryError(
            Problem(
                code="leads-outside",
                summary=f"{path} leads out of this folder, to {real}, through a symbolic link",
                hint="remove the link; or name the place itself, if it is meant: "
                f"`--state {shell_quote(str(real))}`",
            )
        )
    return whole


def companion(path: Path, suffix: str) -> Path:
    """The file that belongs to the map at `path`: `.journal`, `.backup`, `.lock`, `.lock.json`."""
    return path.with_name(path.name + suffix)


class NotRegularFile(OSError):
    """There is something else than an ordinary file; `strerror` says what it is."""


def open_regular_file(path: Path, flags: int, *, follow: bool = False) -> int:
    """Open a file that is an ordinary one, and without waiting for anybody. Raises OSError.

    Through a symbolic link only to `follow`; for reading only what is no larger than `LARGEST`, for writing
    only what has no other name.
    """
    with contextlib.suppress(FileNotFoundError):
        check_regular_file(path, follow=follow)  # here, for to open a device may already do something
    guard = os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    fd = os.open(path, flags | guard, 0o666)
    try:
        _check(path, os.fstat(fd), is_written=bool(flags & _WRITING))
    except BaseException:
        os.close(fd)
        raise
    return fd


def check_regular_file(path: Path, *, follow: bool = False, is_written: bool = False) -> None:
    """The same without opening it. Raises NotRegularFile, or another OSError."""
    _check(path, path.stat() if follow else path.lstat(), is_written=is_written)


def read_regular_file(path: Path, *, follow: bool = False) -> bytes:
    """The content of an ordinary file of bounded size. Raises OSError."""
    with os.fdopen(open_regular_file(path, os.O_RDONLY, follow=follow), "rb") as file:
        return file.read(LARGEST)


def _check(path: Path, status: os.stat_result, *, is_written: bool) -> None:
    what = _KINDS.get(stat.S_IFMT(status.st_mode), "a device")
    if what == "a directory":
        raise IsADirectoryError(errno.EISDIR, "it is a directory", str(path))
    if what:
        raise NotRegularFile(errno.ELOOP, f"it is {what}, and no ordinary file", str(path))
    if not is_written and status.st_size > LARGEST:
        raise NotRegularFile(errno.EFBIG, f"it is larger than {LARGEST >> 20} MiB", str(path))
    if is_written and status.st_nlink > 1:
        raise NotRegularFile(errno.EMLINK, "its content has another name too (a hard link)", str(path))


_KINDS: Final = {
    stat.S_IFREG: "",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


class FileSystem:
    """The real file system. Every method is one step that a crash can come before or after."""

    def read(self, path: Path) -> bytes | None:
        """The content of a file, None when there is no such file."""
        try:
            return read_regular_file(path)
        except FileNotFoundError:
            return None

    def open(self, path: Path, flags: int) -> int:
        """A file descriptor. Raises NotRegularFile."""
        return open_regular_file(path, flags)

    def write(self, fd: int, data: bytes) -> int:
        return os.write(fd, data)

    def sync(self, fd: int) -> None:
        """Make the content durable. The file's times may stay behind; nothing here relies on them."""
        getattr(os, "fdatasync", os.fsync)(fd)

    def truncate(self, fd: int, length: int) -> None:
        os.ftruncate(fd, length)

    def chmod(self, fd: int, mode: int) -> None:
        os.fchmod(fd, mode)

    def close(self, fd: int) -> None:
        os.close(fd)

    def replace(self, source: Path, target: Path) -> None:
        source.replace(target)

    def unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def sync_directory(self, path: Path) -> None:
        """Make names durable: a new, replaced or removed file is one only after this."""
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def make_directory(self, path: Path) -> None:
        path.mkdir(exist_ok=True)


def make_directories(disk: FileSystem, path: Path) -> None:
    """A directory and those above it, each name durable: a file in a lost directory is a lost file."""
    if not path.is_dir():
        make_directories(disk, path.parent)
        disk.make_directory(path)
        disk.sync_directory(path.parent)


def write_all(disk: FileSystem, fd: int, data: bytes) -> None:
    """Write every byte, in one call unless the system takes less at a time."""
    view = memoryview(data)
    while view:
        view = view[disk.write(fd, bytes(view)) :]


def replace_file(disk: FileSystem, path: Path, data: bytes, *, durable: bool = True) -> None:
    """Give a file new content such that readers, and a crash at any moment, find the old or the new whole.

    The name is durable only after the directory has been synced, which is left to the caller: one sync
    serves several files. The temporary file has a fixed name, so that what a killed run left behind is used
    up by the next one; the caller holds the lock.
    """
    temporary = path.with_name(path.name + ".tmp")
    disk.unlink(temporary)
    try:
        fd = disk.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            with contextlib.suppress(FileNotFoundError):
                disk.chmod(fd, stat.S_IMODE(path.stat().st_mode))
            write_all(disk, fd, data)
            if durable:
                disk.sync(fd)
        finally:
            disk.close(fd)
        disk.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            disk.unlink(temporary)
        raise


def write_user_file(path: Path, data: bytes) -> None:
    """Give a file that the user named new content, whole or not at all, and behind a symlink.

    A device or a pipe, such as /dev/stderr, is written to and never replaced. Raises OSError.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        path.write_bytes(data)
    else:
        replace_file(FileSystem(), path, data)
