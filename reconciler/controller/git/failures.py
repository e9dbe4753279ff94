"""What failed in git, and how to continue, by git's own messages."""

from __future__ import annotations

import re
from typing import Final

from reconciler.config.references.helper_process import HelperOutput
from reconciler.controller.git.address import GitAddress
from reconciler.model.errors import SourceError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem

MIN_VERSION: Final = (2, 32)
"""The first git that can be told to ignore the settings of users."""

MAX_REASON: Final = 300
"""Characters of a message of git that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failure by the lines of git that tell of it."""

    pattern: str
    code: str
    hint: str


_FAILURES: Final = (
    Failure(
        pattern=r"Host key verification failed|REMOTE HOST IDENTIFICATION|No .* host key is known",
        code="git-host-key",
        hint="put the host key that the operator of the server publishes into a file, "
        "and name that file in RECONCILER_GIT_KNOWN_HOSTS",
    ),
    Failure(
        pattern=r"Permission denied|Authentication failed|could not read (?:Username|Password)"
        r"|error: 40[13]|[Aa]ccess denied",
        code="git-refused",
        hint="give a token that may read it in RECONCILER_GIT_TOKEN, or the file of a deploy key in "
        "RECONCILER_GIT_SSH_KEY",
    ),
    Failure(
        pattern=r"error: 30[1278]",
        code="git-moved",
        hint="the repository has moved: give its new URL with --git",
    ),
    Failure(
        pattern=r"dubious ownership",
        code="git-refused",
        hint="run this as the user that the repository belongs to",
    ),
    Failure(
        pattern=r"not our ref|unadvertised object|no such remote ref",
        code="git-no-commit",
        hint="the server no longer has this commit: push it again, or name another --ref",
    ),
    Failure(
        pattern=r"invalid path|unable to checkout working tree",
        code="git-unsafe",
        hint="the commit has a file whose name git refuses to write: rename it",
    ),
    Failure(
        pattern=r"No space left|Disk quota exceeded|Read-only file system",
        code="git-cache",
        hint="name a folder with some free space in XDG_CACHE_HOME",
    ),
    Failure(
        pattern="",
        code="git-unreachable",
        hint="check the URL and the network; the next poll tries again",
    ),
)


def failure(address: GitAddress, done: HelperOutput) -> SourceError:
    """Return the error of a command that failed, with the line of git that says most."""
    lines = [line.strip() for line in done.err.decode(errors="replace").splitlines() if line.strip()]
    found = next(
        one for one in _FAILURES if not one.pattern or any(map(re.compile(one.pattern).search, lines))
    )
    telling = [line for line in lines if re.search(found.pattern or "^(?:ssh|fatal|error|ERROR):", line)]
    reason = (
        f"git {done.failure}" if done.failure else (telling or lines or [f"git ended with {done.status}"])[0]
    )
    summary = f"{address} cannot be read: {reason[:MAX_REASON]}"
    told = " ".join(line.removeprefix("remote:").strip() for line in lines if line.startswith("remote:"))
    detail = f"The server says: {told[:MAX_REASON]}" if told else ""
    return SourceError(Problem(code=found.code, summary=summary, detail=detail, hint=found.hint))


def no_git() -> SourceError:
    """Return the error of a machine without git."""
    hint = f"install git {_text(MIN_VERSION)} or newer on this machine, or in this container"
    return SourceError(Problem(code="no-git", summary="git is not installed", hint=hint))


def old_git(version: str) -> SourceError:
    """Return the error of a git that is too old to be run safely."""
    hint = f"install git {_text(MIN_VERSION)} or newer"
    return SourceError(Problem(code="old-git", summary=f"git {version or '?'} is too old", hint=hint))


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
