"""The facts about the run that holds the lock of an inventory, for everybody who has to wait for it."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime

from reconciler import __version__
from reconciler.model.command import command_line
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.text import utc_text


@dataclass(frozen=True, slots=True, kw_only=True)
class LockHolder:
    """The run that holds the lock. `since` is an ISO time in UTC. Unknown values are empty.

    lock_id: the name of this lock for `state unlock`, if the store needs it to free the lock by hand.
    """

    who: str
    host: str
    pid: int
    command: str
    since: str
    ci_run_url: str
    version: str
    lock_id: str = ""

    def described(self, more: str = "") -> str:
        """Return who it is, where and since when, in one phrase. more: what else stands in the brackets."""
        return f"{self.who} on {self.host} (pid {self.pid}, since {self.since}{more})"


_TEXTS = tuple(one.name for one in fields(LockHolder) if one.name != "pid")

MAX_TEXT = 1000
"""Characters of a text about a holder."""


def current_holder(
    *, command: str, environ: Mapping[str, str], clock: Callable[[], float], who: str = ""
) -> LockHolder:
    """Return this process as a holder of the lock. `who`: the client of a server, in place of the user."""
    return LockHolder(
        who=who or environ.get("LOGNAME") or environ.get("USER") or _login(),
        host=socket.gethostname(),
        pid=os.getpid(),
        command=command,
        since=utc_text(datetime.fromtimestamp(clock(), UTC)),
        ci_run_url=ci_run_url(environ),
        version=__version__,
    )


def parse_holder(value: object) -> LockHolder:
    """Return the holder that parsed JSON describes, which others may have written. Raise ValueError.

    Fields that another release knows are left out, and long texts are cut.
    """
    facts: dict[str, object] = value if isinstance(value, dict) else {}
    pid, texts = facts.get("pid"), {name: facts.get(name, "") for name in _TEXTS}
    if type(pid) is not int or not 0 <= pid < 1 << 32 or not all(type(one) is str for one in texts.values()):
        raise ValueError("the facts about the holder of the lock are damaged")
    shown = {name: str(one).encode("utf-8", "replace").decode()[:MAX_TEXT] for name, one in texts.items()}
    return LockHolder(pid=pid, **shown)


def ci_run_url(environ: Mapping[str, str]) -> str:
    """Return the page of the current CI run (GitHub, GitLab, Jenkins), or "" outside of these."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    if all(github := [environ.get(name, "") for name in names]):
        server, repository, run = github
        return f"{server}/{repository}/actions/runs/{run}"
    return environ.get("CI_JOB_URL") or environ.get("BUILD_URL") or ""


_WAIT = "Wait for it with `--lock-timeout 60s`; the lock is free as soon as that run ends"


def locked_problem(inventory: object, holder: LockHolder | None, hint: str = _WAIT) -> Problem:
    """Return the problem that another run holds the lock, with all that is known of that run."""
    if holder is None:
        summary, detail = f"The inventory {inventory} is locked by another run", "That run left no details."
    else:
        summary = f"The inventory {inventory} is locked by {holder.who} on {holder.host}"
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
        hint=hint,
        exit_code=ExitCode.LOCKED,
    )


def not_held_problem(inventory: str, lock_id: str, *, is_locked: bool) -> Problem:
    """Return the problem of an unlock by an ID that no lock has. is_locked: there is a lock of another ID."""
    if not is_locked:
        return Problem(
            code="not-locked",
            summary=f"The inventory {inventory} is not locked",
            hint="There is nothing to unlock; run the command that you need",
        )
    return Problem(
        code="other-lock",
        summary=f"The inventory {inventory} is not locked by {lock_id}",
        detail="The lock has changed hands, so that run may be at work.",
        hint=f"See who holds it with `{command_line('reconciler', 'state', 'lock-info')}`",
    )


def _login() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a user ID without a name
        return f"uid {os.getuid()}"
