"""Questions to git. Nothing is changed, and no code runs that a repository brings along."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from reconciler.model.command import command_line

PATIENCE: Final = 5.0
"""Seconds; a repository on a dead network drive must not hold anybody up."""

_HARDENED: Final = (
    "--no-pager",
    "-c",
    "safe.bareRepository=explicit",  # one that lies among the files of another is not asked
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "protocol.allow=never",
)
_SAID_BY_US: Final = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",  # its words are read below
}
_KEPT: Final = frozenset(
    {
        "GIT_CEILING_DIRECTORIES",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_NOSYSTEM",
    }
)
"""How far to look for a repository, and where the user says which ones are safe. Whatever else begins with
`GIT_` names another repository, as in a hook, or a program to run."""


class GitStatus(Enum):
    """What git makes of a file."""

    TRACKED = "tracked"
    IGNORED = "ignored"
    UNTRACKED = "untracked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What git said: its exit code, and the two streams."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """Git's first line where there is a repository that it will not look at; otherwise ""."""
        if self.code != 128 or "not a git repository" in self.err:
            return ""
        lines = self.err.splitlines()
        return next((line for line in lines if line.startswith("fatal:")), lines[0] if lines else "")


def ask(folder: Path, *question: str, environ: Mapping[str, str] = os.environ) -> Answer | None:
    """What git says in that folder; None where there is no git, or no answer in time."""
    import shutil
    import subprocess

    git = shutil.which("git", path=environ.get("PATH"))
    if git is None or not Path(git).is_absolute():  # one in the folder would be the repository's own
        return None
    words = [git, *_HARDENED, *_safe_directories(environ), "-C", str(folder), *question]
    kept = {name: value for name, value in environ.items() if not name.startswith("GIT_") or name in _KEPT}
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the words are ours, or paths behind `--`
            words,
            env={**kept, **_SAID_BY_US},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return Answer(code=done.returncode, out=done.stdout, err=done.stderr)


def keeping(path: Path) -> GitStatus | None:
    """What git makes of this file; None where it is in no repository, or git cannot or will not tell."""
    ignored = ask(path.parent, "check-ignore", "--quiet", "--", path.name)
    if ignored is None or ignored.code not in (0, 1):
        return None
    tracked = ask(path.parent, "ls-files", "--error-unmatch", f":(literal){path.name}")
    if tracked is not None and tracked.code == 0:
        return GitStatus.TRACKED
    return GitStatus.IGNORED if ignored.code == 0 else GitStatus.UNTRACKED


def refusal(folder: Path, environ: Mapping[str, str] = os.environ) -> str:
    """Git's first line where it will not look at the repository of that folder; "" where it does."""
    answer = ask(folder, "rev-parse", "--git-dir", environ=environ)
    return answer.refusal if answer else ""


def way_out(refused: str) -> str:
    """What makes git look, if the user trusts the repository; "" where only git's own words help."""
    if owned := re.search(r"dubious ownership in repository at '(.+)'", refused):
        trust = command_line("git", "config", "--global", "--add", "safe.directory", owned[1])
        return f"if you trust it: {trust}"
    if "bare repository" in refused:
        return "remove the HEAD, objects and refs that make a repository of that folder"
    return ""


def _safe_directories(environ: Mapping[str, str]) -> Iterator[str]:
    """What the environment says of safe.directory; pipelines have no other place for it."""
    count = environ.get("GIT_CONFIG_COUNT", "")
    for number in range(int(count) if count.isdecimal() and len(count) < 4 else 0):
        if environ.get(f"GIT_CONFIG_KEY_{number}", "").lower() == "safe.directory":
            yield from ("-c", f"safe.directory={environ.get(f'GIT_CONFIG_VALUE_{number}', '')}")
