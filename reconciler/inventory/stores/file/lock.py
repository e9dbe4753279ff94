"""The lock of the inventory, which the kernel frees when its holder dies, and a note about the holder.

`<path>.lock` has only the lock; its presence means nothing. `<path>.lock.json` describes the holder, and is
read only while the lock is held.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import filelock

from reconciler.inventory.errors import write_errors
from reconciler.inventory.files import (
    FileSystem,
    check_regular_file,
    companion,
    make_directories,
    read_regular_file,
    replace_file,
    resolve,
)
from reconciler.inventory.lock_holder import LockHolder, locked_problem, parse_holder
from reconciler.inventory.stores.clock import pause
from reconciler.model.durations import FILE_LOCK_POLL
from reconciler.model.errors import InventoryLocked


@contextmanager
def hold(
    path: Path, holder: LockHolder, *, timeout: float = 0.0, stop: threading.Event | None = None
) -> Iterator[None]:
    """Hold the lock of the map at `path`. Raise InventoryLocked if it is not free in `timeout` seconds.

    stop: ends the wait when it is set.
    """
    file, note = companion(resolve(path), ".lock"), companion(resolve(path), ".lock.json")
    lock = filelock.FileLock(file, timeout=0, thread_local=False)
    with write_errors(file, saved="Nothing was changed"):
        make_directories(FileSystem(), file.parent)
        with contextlib.suppress(FileNotFoundError):
            check_regular_file(file, is_written=True)  # filelock would truncate the target of a link
        try:
            _acquire(lock, timeout, stop)
        except filelock.Timeout:
            raise InventoryLocked(locked_problem(path, read_holder(note))) from None
    try:
        with write_errors(note, saved="Nothing was changed"):
            # Not durable, because the lock does not outlive a power cut either.
            data = (json.dumps(asdict(holder), indent=2) + "\n").encode()
            replace_file(FileSystem(), note, data, durable=False)
        yield
    finally:
        with contextlib.suppress(OSError):
            note.unlink(missing_ok=True)
        lock.release()


def _acquire(lock: filelock.BaseFileLock, timeout: float, stop: threading.Event | None) -> None:
    """Acquire a lock. Raise filelock.Timeout if it is not free in time, or not before `stop` is set."""
    end = time.monotonic() + timeout
    while True:
        try:
            lock.acquire()
        except filelock.Timeout:
            left = end - time.monotonic()
            if left <= 0 or pause(min(FILE_LOCK_POLL, left), stop):
                raise
        else:
            return


def read_holder(note: Path) -> LockHolder | None:
    """Return the holder that the note names, or None if it is missing, unreadable or out of date.

    The note is out of date for a moment after a run was killed: the next run holds the lock already, but has
    not written its own note yet.
    """
    try:
        holder = parse_holder(json.loads(read_regular_file(note)))
        is_gone = holder.host == socket.gethostname() and not _is_alive(holder.pid)
    except (OSError, ValueError, RecursionError):
        return None
    return None if is_gone else holder


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno != errno.ESRCH  # a process that may not be signalled belongs to another user
    return True
