"""Whether git keeps the map. Git itself is asked; nothing is changed, and nothing depends on the answer."""

from __future__ import annotations

import shutil
import subprocess
from enum import Enum
from pathlib import Path
from typing import Final

PATIENCE: Final = 5.0
"""Seconds; a repository on a dead network drive must not hold anybody up."""


class Keeping(Enum):
    """What git makes of a file."""

    TRACKED = "tracked"
    IGNORED = "ignored"
    UNTRACKED = "untracked"


def keeping(path: Path) -> Keeping | None:
    """What git makes of this file; None where it is in no repository, or git cannot be asked."""
    git = shutil.which("git")
    if git is None:
        return None
    ignored = _code(git, path, "check-ignore", "--quiet")
    if ignored not in (0, 1):
        return None
    if _code(git, path, "ls-files", "--error-unmatch") == 0:
        return Keeping.TRACKED
    return Keeping.IGNORED if ignored == 0 else Keeping.UNTRACKED


def _code(git: str, path: Path, *command: str) -> int | None:
    """The exit code of a question about the file; None when there is no answer."""
    try:
        done = subprocess.run(  # noqa: S603 - git, with a fixed question and the file's own name
            [git, *command, "--", path.name],
            cwd=path.parent,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.returncode
