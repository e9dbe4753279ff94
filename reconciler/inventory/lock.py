"""One writer at a time: a lock that the kernel frees when its owner dies, and a note saying who that is.

`<path>.lock` carries the lock and nothing else; its presence means nothing. `<path>.lock.json` says who holds
it, and is looked at only while the lock is really held.
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
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

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
from reconciler.model.problem import ExitCode, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class LockHolder:
    """Who holds the lock. `since` is an ISO time in UTC; what is not known is empty."""

    who: str
    host: str
    pid: int
    command: str
    since: str
    ci_run_url: str
    version: str


def current_holder(*, command: str, environ: Mapping[str, str], clock: Callable[[], float]) -> LockHolder:
    """The owner that this process is: the one place that asks for user, host and process ID."""
    return LockHolder(
        who=environ.get("LOGNAME") or environ.get("USER") or _login(),
        host=socket.gethostname(),
        pid=os.getpid(),
        command=command,
        since=datetime.fromtimestamp(clock(), UTC).isoformat(timespec="seconds"),
        ci_run_url=ci_run_url(environ),
        version=__version__,
    )


def ci_run_url(environ: Mapping[str, str]) -> str:
    """The page of the CI run we are part of: GitHub, GitLab, Jenkins; "" outside of these."""
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
) -> Iterator[None]:
    """Hold the lock of the map at `path`. Waits `timeout` seconds, then raises InventoryLocked."""
    import filelock  # heavy, and only writers need it

    file, note = companion(resolve(path), ".lock"), companion(resolve(path), ".lock.json")
    lock = filelock.FileLock(file, timeout=timeout, thread_local=False)
    with write_errors(file, saved="Nothing was changed"):
        make_directories(FileSystem(), file.parent)
        with contextlib.suppress(FileNotFoundError):
            check_regular_file(file, is_written=True)  # filelock would empty whatever a link leads to
        try:
            lock.acquire()
        except filelock.Timeout:
            raise InventoryLocked(_locked(path, read_holder(note))) from None
    try:
        owner = current_holder(command=command, environ=environ, clock=clock)
        with write_errors(note, saved="Nothing was changed"):
            # Not durable: the lock does not outlive a power cut either.
            replace_file(
                FileSystem(), note, (json.dumps(asdict(owner), indent=2) + "\n").encode(), durable=False
            )
        yield
    finally:
        with contextlib.suppress(OSError):
            note.unlink(missing_ok=True)
        lock.release()


def read_holder(note: Path) -> LockHolder | None:
    """Who the note names; None when it is missing, unreadable, or about a process of this host that is gone.

    The last happens for a moment: a killed run leaves its note, and its successor holds the lock already but
    has not put its own there yet.
    """
    try:
        owner = LockHolder(**json.loads(read_regular_file(note)))
        gone = owner.host == socket.gethostname() and not _is_alive(owner.pid)
    except (OSError, ValueError, TypeError, OverflowError):
        return None
    return None if gone else owner


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno != errno.ESRCH  # what we may not signal is alive, and another user's
    return True


def _locked(path: Path, owner: LockHolder | None) -> Problem:
    if owner is None:
        summary, detail = f"The inventory {path} is locked by another run", "That run left no details."
    else:
        summary = f"The inventory {path} is locked by {owner.who} on {owner.host}"
        facts = {
            "who": owner.who,
            "host": owner.host,
            "pid": owner.pid,
            "since": owner.since,
            "command": owner.command,
            "CI run": owner.ci_run_url,
            "version": owner.version,
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
    except KeyError:  # a container may run under a number without a name
        return f"uid {os.getuid()}"
