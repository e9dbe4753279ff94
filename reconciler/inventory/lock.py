"""The lock of the inventory, which the kernel frees when its holder dies, and a note about the holder.

`<path>.lock` has only the lock; its presence means nothing. `<path>.lock.json` describes the holder, and is
read only while the lock is held.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pwd
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import filelock

from reconciler import __version__
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
from reconciler.model.errors import InventoryLocked
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class LockHolder:
    """The run that holds the lock. `since` is an ISO time in UTC. Unknown values are empty."""

    who: str
    host: str
    pid: int
    command: str
    since: str
    ci_run_url: str
    version: str


def current_holder(
    *, command: str, environ: Mapping[str, str], clock: Callable[[], float], who: str = ""
) -> LockHolder:
    """Return this process as a holder of the lock. `who`: the client of a server, in place of the user."""
    return LockHolder(
        who=who or environ.get("LOGNAME") or environ.get("USER") or _login(),
        host=socket.gethostname(),
        pid=os.getpid(),
        command=command,
        since=datetime.fromtimestamp(clock(), UTC).isoformat(timespec="seconds"),
        ci_run_url=ci_run_url(environ),
        version=__version__,
    )


def ci_run_url(environ: Mapping[str, str]) -> str:
    """Return the page of the current CI run (GitHub, GitLab, Jenkins), or "" outside of these."""
    github = [environ.get(f"GITHUB_{part}", "") for part in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    if all(github):
        server, repository, run = github
        return f"{server}/{repository}/actions/runs/{run}"
    return environ.get("CI_JOB_URL") or environ.get("BUILD_URL") or ""


@contextmanager
def hold(
    path: Path,
    *,
    command: str,
    environ: Mapping[str, str],
    clock: Callable[[], float],
    timeout: float = 0.0,
    who: str = "",
) -> Iterator[None]:
    """Hold the lock of the map at `path`. Raise InventoryLocked if it is not free in `timeout` seconds."""
    file, note = companion(resolve(path), ".lock"), companion(resolve(path), ".lock.json")
    lock = filelock.FileLock(file, timeout=timeout, thread_local=False)
    with write_errors(file, saved="Nothing was changed"):
        make_directories(FileSystem(), file.parent)
        with contextlib.suppress(FileNotFoundError):
            check_regular_file(file, is_written=True)  # filelock would truncate the target of a link
        try:
            lock.acquire()
        except filelock.Timeout:
            raise InventoryLocked(_locked(path, read_holder(note))) from None
    try:
        holder = current_holder(command=command, environ=environ, clock=clock, who=who)
        with write_errors(note, saved="Nothing was changed"):
            # Not durable, because the lock does not outlive a power cut either.
            data = (json.dumps(asdict(holder), indent=2) + "\n").encode()
            replace_file(FileSystem(), note, data, durable=False)
        yield
    finally:
        with contextlib.suppress(OSError):
            note.unlink(missing_ok=True)
        lock.release()


def read_holder(note: Path) -> LockHolder | None:
    """Return the holder that the note names, or None if it is missing, unreadable or out of date.

    The note is out of date for a moment after a run was killed: the next run holds the lock already, but has
    not written its own note yet.
    """
    try:
        holder = LockHolder(**json.loads(read_regular_file(note)))
        is_gone = holder.host == socket.gethostname() and not _is_alive(holder.pid)
    except (OSError, ValueError, TypeError, OverflowError):
        return None
    return None if is_gone else holder


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno != errno.ESRCH  # a process that may not be signalled belongs to another user
    return True


def _locked(path: Path, holder: LockHolder | None) -> Problem:
    if holder is None:
        summary, detail = f"The inventory {path} is locked by another run", "That run left no details."
    else:
        summary = f"The inventory {path} is locked by {holder.who} on {holder.host}"
        facts = {
            "who": holder.who,
            "host": holder.host,
            "pid": holder.pid,
            "since": holder.since,
            "command": holder.command,
            "CI run": holder.ci_run_url,
            "version": holder.version,
        }
        detail = "\n".join(f"{key}: {value}" for key, value in facts.items() if value)
    return Problem(
        code="inventory-locked",
        summary=summary,
        detail=detail,
        hint="Wait for it with `--lock-timeout 60s`; the lock is free as soon as that run ends",
        exit_code=ExitCode.LOCKED,
    )


def _login() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a user ID without a name
        return f"uid {os.getuid()}"
