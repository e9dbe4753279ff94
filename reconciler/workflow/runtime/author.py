"""Who makes a change, and from which files: the facts that the history records."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from reconciler.inventory.history_entries import Author
from reconciler.inventory.lock_holder import ci_run_url, current_holder
from reconciler.novita.thread_pool import DaemonThreadPool, Pending
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.git import commit_of

CI_USERS: Final = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID")
"""Variables in which GitHub, GitLab and Jenkins name the user who started a job."""


def find_author(context: Context, files: Iterable[Path], *, restores: int = 0) -> Pending[Author]:
    """Begin to find out who runs this, and return the pending result: git is asked in the background.

    `restores` is the version to which a rollback returns, 0 for another command.
    """
    files = tuple(files)
    return DaemonThreadPool(1).submit(lambda: _author(context, files, restores))


def _author(context: Context, files: tuple[Path, ...], restores: int) -> Author:
    commit, is_dirty = commit_of(context, files)
    return Author(
        who=user_of(context),
        command=_command(context) + (f" to version {restores}" if restores else ""),
        commit=commit,
        is_dirty=is_dirty,
        run_url=ci_run_url(context.environ),
        message=context.message,
    )


def user_of(context: Context) -> str:
    """Return who runs this: the client of a server, the user of a CI job, or USER@HOST."""
    holder = current_holder(command="", environ=context.environ, clock=time.time)
    return context.who or _ci_user(context.environ) or f"{holder.who}@{holder.host}"


def _ci_user(environ: Mapping[str, str]) -> str:
    return next((name for name in map(environ.get, CI_USERS) if name), "")


def _command(context: Context) -> str:
    """Return the command without the name of the program, or the class of the Python API."""
    return context.command.removeprefix("reconciler").lstrip(" .")
