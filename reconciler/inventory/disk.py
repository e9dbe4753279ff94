"""The few file operations that the inventory is made of, so that a test can stop between any two."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


class Disk:
    """The real file system. Every method is one step that a crash can come before or after."""

    def read(self, path: Path) -> bytes | None:
        """The content of a file, None when there is no such file."""
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None

    def open(self, path: Path, flags: int) -> int:
        return os.open(path, flags, 0o666)

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


def make_directories(disk: Disk, path: Path) -> None:
    """A directory and those above it, each name durable: a file in a lost directory is a lost file."""
    if not path.is_dir():
        make_directories(disk, path.parent)
        disk.make_directory(path)
        disk.sync_directory(path.parent)


def write_all(disk: Disk, fd: int, data: bytes) -> None:
    """Write every byte, in one call unless the system takes less at a time."""
    view = memoryview(data)
    while view:
        view = view[disk.write(fd, bytes(view)) :]


def put(disk: Disk, path: Path, data: bytes, *, durable: bool = True) -> None:
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


def deliver(path: Path, data: bytes) -> None:
    """Give a file that the user named new content, whole or not at all, and behind a symlink.

    A device or a pipe, such as /dev/stderr, is written to and never replaced. Raises OSError.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        path.write_bytes(data)
    else:
        put(Disk(), path, data)
