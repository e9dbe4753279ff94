"""Paths and file operations of the inventory. A test can stop between any two operations.

All files of the inventory are opened here, and only if they are regular files with one name. A link, a pipe
or a device in their place may have come with a pull request, and is refused.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from os.path import normpath
from pathlib import Path
from typing import Final

from reconciler.model.command import shell_quote
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem

MAX_FILE_SIZE: Final = 256 * 2**20
"""Bytes. The map of 100,000 endpoints takes a quarter of it."""

BLOCK_SIZE: Final = 1 << 16
"""Bytes that are written at once, at least."""

_WRITING: Final = os.O_WRONLY | os.O_RDWR


def resolve(path: Path) -> Path:
    """Return the file behind a symbolic link. It is the one that is replaced and has the companion files."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def path_under(root: Path, path: Path) -> Path:
    """Return `root / path`. Raise InventoryError for a folder, and for a link that leads out of the root.

    Such a link may have come with a pull request. A path that itself names a place outside is allowed.
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
    """Return the file that belongs to the map at `path`: `.journal`, `.backup`, `.lock`, `.lock.json`."""
    return path.with_name(path.name + suffix)


def journal_path(path: Path) -> Path:
    """Return the path of the journal that belongs to the map at `path`."""
    return companion(path, ".journal")


def history_path(path: Path) -> Path:
    """Return the path of the history that belongs to the map at `path`."""
    return companion(path, ".history.jsonl")


def document_path(path: Path, name: str) -> Path:
    """Return the path of a document that belongs to the map at `path`."""
    return companion(path, f".{name}.json")


class NotRegularFile(OSError):
    """A path that is not a regular file. `strerror` says what it is."""


def open_regular_file(path: Path, flags: int, *, follow: bool = False) -> int:
    """Open a regular file without blocking. Raise OSError for anything else.

    A symbolic link is opened only with `follow`. A file to read must not be larger than `MAX_FILE_SIZE`; a
    file to write must not have a second name.
    """
    with contextlib.suppress(FileNotFoundError):
        check_regular_file(path, follow=follow)  # before the open, because opening a device may have effects
    guard = os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    fd = os.open(path, flags | guard, 0o666)
    try:
        _check(path, os.fstat(fd), is_written=bool(flags & _WRITING))
    except BaseException:
        os.close(fd)
        raise
    return fd


def check_regular_file(path: Path, *, follow: bool = False, is_written: bool = False) -> None:
    """Check a file as `open_regular_file` does. Raise NotRegularFile or another OSError."""
    _check(path, path.stat() if follow else path.lstat(), is_written=is_written)


def read_regular_file(path: Path, *, follow: bool = False) -> bytes:
    """Return the content of a regular file of limited size. Raise OSError for anything else."""
    with os.fdopen(open_regular_file(path, os.O_RDONLY, follow=follow), "rb") as file:
        return file.read(MAX_FILE_SIZE)


def _check(path: Path, status: os.stat_result, *, is_written: bool) -> None:
    what = _KINDS.get(stat.S_IFMT(status.st_mode), "a device")
    if what == "a directory":
        raise IsADirectoryError(errno.EISDIR, "it is a directory", str(path))
    if what:
        raise NotRegularFile(errno.ELOOP, f"it is {what}, not a regular file", str(path))
    if not is_written and status.st_size > MAX_FILE_SIZE:
        raise NotRegularFile(errno.EFBIG, f"it is larger than {MAX_FILE_SIZE >> 20} MiB", str(path))
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
    """The real file system. Each method is one operation that a crash can precede or follow."""

    def read(self, path: Path) -> bytes | None:
        """Return the content of a file, or None if there is no such file."""
        try:
            return read_regular_file(path)
        except FileNotFoundError:
            return None

    def open(self, path: Path, flags: int) -> int:
        """Return a file descriptor. Raise NotRegularFile if it is not a regular file."""
        return open_regular_file(path, flags)

    def write(self, fd: int, data: bytes) -> int:
        return os.write(fd, data)

    def sync(self, fd: int) -> None:
        """Make the content durable. The times of the file may not be."""
        if not _write_through(fd):
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
        """Make the names in a directory durable, after a file was made, replaced or removed."""
        fd = os.open(path, os.O_RDONLY)
        try:
            if not _write_through(fd):
                os.fsync(fd)
        finally:
            os.close(fd)

    def make_directory(self, path: Path) -> None:
        path.mkdir(exist_ok=True)


def _write_through(fd: int) -> bool:
    """Empty the cache of the disk too, which fsync of macOS does not. Return False if the system cannot."""
    command = getattr(fcntl, "F_FULLFSYNC", None)
    if command is None:
        return False
    try:
        fcntl.fcntl(fd, command)
    except OSError:  # some file systems do not have it, such as those of a network
        return False
    return True


def make_directories(disk: FileSystem, path: Path) -> None:
    """Make a directory and its parents, and make each name durable."""
    if not path.is_dir():
        make_directories(disk, path.parent)
        disk.make_directory(path)
        disk.sync_directory(path.parent)


def write_all(disk: FileSystem, fd: int, data: bytes) -> None:
    """Write all bytes, in one call unless the system takes fewer at a time."""
    view = memoryview(data)
    while view:
        view = view[disk.write(fd, bytes(view)) :]


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the chunks in blocks of 64 KiB or more, because a write takes as long as to make a chunk."""
    block = bytearray()
    for chunk in chunks:
        block += chunk
        if len(block) >= BLOCK_SIZE:
            yield bytes(block)
            block.clear()
    yield bytes(block)


def replace_file(
    disk: FileSystem, path: Path, data: bytes | Iterable[bytes], *, durable: bool = True
) -> None:
    """Replace a file atomically: readers, and a crash at any moment, leave the old or the new content.

    `data` may come in chunks, which are made while they are written. The caller must sync the directory
    to make the name durable; one sync serves several files. The caller holds the lock, so the temporary
    file has a fixed name, and the next run reuses what a killed run left.
    """
    temporary = path.with_name(path.name + ".tmp")
    disk.unlink(temporary)
    try:
        fd = disk.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            with contextlib.suppress(FileNotFoundError):
                disk.chmod(fd, stat.S_IMODE(path.stat().st_mode))
            for block in (data,) if isinstance(data, bytes) else _blocks(data):
                write_all(disk, fd, block)
            if durable:
                disk.sync(fd)
        finally:
            disk.close(fd)
        disk.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            disk.unlink(temporary)
        raise


def write_user_file(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Replace a file that the user named atomically, behind a symbolic link too. Raise OSError.

    A device or a pipe, such as /dev/stderr, is written to and never replaced.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            file.writelines((data,) if isinstance(data, bytes) else data)
    else:
        replace_file(FileSystem(), path, data)
