"""Read-only queries to git, and the commit that a run is bound to. No hook or filter of a repository runs."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from reconciler.model.command import command_line
from reconciler.model.errors import InvalidConfig
from reconciler.model.exit_codes import Exit
from reconciler.model.problem import Problem, Severity
from reconciler.workflow.runtime.context import Context

VARIABLES: Final = ("GITHUB_SHA", "CI_COMMIT_SHA")
"""Where GitHub and GitLab say which commit a job is about."""

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


def current_commit(context: Context) -> str:
    """The full SHA. Raises InvalidConfig where neither git nor a pipeline knows one."""
    found = _said(_git(context, "rev-parse", "--verify", "--quiet", "HEAD")) or next(
        filter(None, map(context.environ.get, VARIABLES)), None
    )
    if found is None:
        refused = refusal(context.root, context.environ)
        why = f"git refuses: {refused}" if refused else "there is no git checkout here"
        otherwise = f"run it in a checkout, set {' or '.join(VARIABLES)}, or plan without --bind-commit"
        raise InvalidConfig(
            Problem(
                code="no-commit",
                summary=f"it cannot be told which commit this is: {why}",
                hint="\n".join(filter(None, (way_out(refused), otherwise))),
            )
        )
    return found.strip()


def check_commit(context: Context, bound: str, shown: str) -> None:
    """Raises InvalidConfig when what is `shown` so was bound to another commit than this."""
    current = current_commit(context)
    if current != bound:
        raise InvalidConfig(
            Problem(
                code="stale-plan",
                summary=f"{shown} no longer holds",
                detail=f"commit: it was made at {bound}, this is {current}",
                hint="plan again, or check out that commit: "
                + command_line("git", *context.options.folder(), "checkout", bound),
                exit_code=Exit.STALE,
            )
        )


def uncommitted(context: Context, files: Iterable[Path]) -> tuple[Problem, ...]:
    """A warning when the run is bound to a commit, and files that it was made from are not as in that."""
    if context.commit is None:
        return ()
    if refused := refusal(context.root, context.environ):
        return (
            _warning(f"it cannot be told whether the files are as committed: {refused}", way_out(refused)),
        )
    folder = _said(_git(context, "rev-parse", "--show-toplevel"))
    if folder is None:
        return ()
    top = Path(folder.removesuffix("\n"))
    known = {path.resolve(): path for path in files}
    committed = _committed(context, top, known)
    apart = [str(path) for real, path in known.items() if not _is_blob(real, committed.get(real, ""))]
    if not apart:
        return ()
    summary = f"{', '.join(apart)}: not as in the commit that the plan is bound to"
    return (_warning(summary, "commit, then plan again"),)


def _committed(context: Context, top: Path, files: Iterable[Path]) -> dict[Path, str]:
    """The ID of each file in the commit, of those that are in it."""
    inside = [str(path.relative_to(top)) for path in files if path.is_relative_to(top)]
    listed = _said(_git(context, "ls-tree", "-z", "--full-tree", "HEAD", "--", *inside)) if inside else None
    entries = (entry.split("\t", 1) for entry in (listed or "").split("\0") if entry)
    return {top / name: about.split()[2] for about, name in entries}


def _is_blob(path: Path, object_id: str) -> bool:
    """Whether the file holds what git keeps under that ID.

    Git itself would compare as well, and run the filters that the repository names for it.
    """
    try:
        data = path.read_bytes()
    except OSError:
        return False
    algorithm = "sha1" if len(object_id) == 40 else "sha256"
    content = b"blob %d\0%s" % (len(data), data)
    return hashlib.new(algorithm, content, usedforsecurity=False).hexdigest() == object_id


def _warning(summary: str, hint: str) -> Problem:
    return Problem(
        code="uncommitted",
        severity=Severity.WARNING,
        summary=summary,
        detail="The binding promises less than it says: a checkout of that commit may hold other files.",
        hint=hint,
    )


def _git(context: Context, *question: str) -> Answer | None:
    return ask(context.root, *question, environ=context.environ)


def _said(answer: Answer | None) -> str | None:
    """What git answered; None where there is no git, or nothing that it can tell of."""
    return answer.out if answer is not None and answer.code == 0 else None
