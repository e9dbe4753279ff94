"""Read-only queries to git, and the commit that a run is bound to. No hook or filter of a repository runs."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Final

from reconciler.model import durations
from reconciler.model.command import command_line
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.workflow.runtime.context import Context

COMMIT_VARIABLES: Final = ("GITHUB_SHA", "CI_COMMIT_SHA")
"""Variables in which GitHub and GitLab name the commit of a job."""

_SAFE_OPTIONS: Final = (
    "--no-pager",
    "-c",
    "safe.bareRepository=explicit",  # ignore a bare repository inside a work tree
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "protocol.allow=never",
)
_FIXED_VARIABLES: Final = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",  # error messages are parsed below
}
_PASSED_VARIABLES: Final = frozenset(
    {
        "GIT_CEILING_DIRECTORIES",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_NOSYSTEM",
    }
)
"""The `GIT_` variables that git still gets: search limits, and configuration that lists safe repositories.
The others could name another repository, as in a hook, or a program to run."""


class GitStatus(Enum):
    """The status of a file in git."""

    TRACKED = "tracked"
    IGNORED = "ignored"
    UNTRACKED = "untracked"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitOutput:
    """Exit code and output streams of one git command."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """Return the first line of the error if git refuses to read the repository, else ""."""
        if self.code != 128 or "not a git repository" in self.err:
            return ""
        lines = self.err.splitlines()
        return next((line for line in lines if line.startswith("fatal:")), lines[0] if lines else "")


def prepare() -> None:
    """Import what runs git, before it is needed."""
    import subprocess  # noqa: F401


def run_git(folder: Path, *arguments: str, environ: Mapping[str, str] = os.environ) -> GitOutput | None:
    """Run git in that folder. Return None if git is not installed or does not answer within `TIMEOUT`."""
    import shutil
    import subprocess

    git = shutil.which("git", path=environ.get("PATH"))
    if git is None or not Path(git).is_absolute():  # a relative path could be a program of the repository
        return None
    command = [git, *_SAFE_OPTIONS, *_safe_directories(environ), "-C", str(folder), *arguments]
    inherited = {
        name: value
        for name, value in environ.items()
        if not name.startswith("GIT_") or name in _PASSED_VARIABLES
    }
    try:
        done = subprocess.run(  # noqa: S603 - no shell; fixed arguments, and paths after `--`
            command,
            env={**inherited, **_FIXED_VARIABLES},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=durations.GIT_TIMEOUT,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return GitOutput(code=done.returncode, out=done.stdout, err=done.stderr)


def git_status(path: Path) -> GitStatus | None:
    """Return the status of this file. None: it is in no repository, or git cannot tell."""
    return git_statuses(path.parent, [path.name]).get(path.name)


def git_statuses(folder: Path, names: Sequence[str]) -> dict[str, GitStatus]:
    """Return the status of files of a folder by name; {} if it is in no repository, or git cannot tell."""
    tracked = run_git(folder, "ls-files", "-z", "--", *(f":(literal){name}" for name in names))
    if tracked is None or tracked.code != 0:
        return {}
    statuses = {name: GitStatus.TRACKED for name in tracked.out.split("\0") if name in names}
    for name in set(names) - statuses.keys():
        ignored = run_git(folder, "check-ignore", "--quiet", "--", name)
        if ignored is None or ignored.code not in (0, 1):
            return {}
        statuses[name] = GitStatus.UNTRACKED if ignored.code else GitStatus.IGNORED
    return statuses


def git_refusal(folder: Path, environ: Mapping[str, str] = os.environ) -> str:
    """Return git's error if it refuses to read the repository of that folder, else ""."""
    output = run_git(folder, "rev-parse", "--git-dir", environ=environ)
    return output.refusal if output else ""


def refusal_hint(refusal: str) -> str:
    """Return a way to make git read a trusted repository; "" if git's own error is the best hint."""
    if owned := re.search(r"dubious ownership in repository at '(.+)'", refusal):
        trust = command_line("git", "config", "--global", "--add", "safe.directory", owned[1])
        return f"if you trust it: {trust}"
    if "bare repository" in refusal:
        return "remove the HEAD, objects and refs that make a repository of that folder"
    return ""


def _safe_directories(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield options for the safe.directory settings in the environment, where pipelines keep them."""
    count = environ.get("GIT_CONFIG_COUNT", "")
    for number in range(int(count) if count.isdecimal() and len(count) < 4 else 0):
        if environ.get(f"GIT_CONFIG_KEY_{number}", "").lower() == "safe.directory":
            yield from ("-c", f"safe.directory={environ.get(f'GIT_CONFIG_VALUE_{number}', '')}")


def current_commit(context: Context) -> str:
    """Return the full SHA, from git or from the pipeline. Raise InvalidConfig if neither knows one."""
    commit = _git(context, "rev-parse", "--verify", "--quiet", "HEAD") or _commit_of_pipeline(context)
    if not commit:
        refusal = git_refusal(context.root, context.environ)
        reason = f"git refuses: {refusal}" if refusal else "there is no git checkout here"
        hint = f"run it in a checkout, set {' or '.join(COMMIT_VARIABLES)}, or plan without --bind-commit"
        raise InvalidConfig(
            Problem(
                code="no-commit",
                summary=f"cannot determine the current commit: {reason}",
                hint="\n".join(filter(None, (refusal_hint(refusal), hint))),
            )
        )
    return commit.strip()


def commit_of(context: Context, files: Iterable[Path]) -> tuple[str, bool]:
    """Return the commit (SHA) that is checked out, and whether one of these files differs from it.

    The commit is "" if there is no file, or if neither git nor the pipeline knows a commit.
    """
    paths = {path.resolve(): path for path in files}
    if not paths:
        return "", False
    found = _git(context, "rev-parse", "--show-toplevel", "HEAD")
    if found is None:
        return _commit_of_pipeline(context), False
    top_level, commit = found.removesuffix("\n").rsplit("\n", 1)
    blobs = _committed_blobs(context, Path(top_level), paths)
    return commit, any(not _is_blob(path, blobs.get(path, "")) for path in paths)


def _commit_of_pipeline(context: Context) -> str:
    return next(filter(None, map(context.environ.get, COMMIT_VARIABLES)), "")


def check_commit(context: Context, bound_commit: str, plan_name: str) -> None:
    """Raise InvalidConfig if the plan, which `plan_name` names to the user, is bound to another commit."""
    current = current_commit(context)
    if current != bound_commit:
        raise InvalidConfig(
            Problem(
                code="stale-plan",
                summary=f"{plan_name} is stale",
                detail=f"commit: it was made at {bound_commit}, this is {current}",
                hint="plan again, or check out that commit: "
                + command_line("git", *context.options.directory_arguments(), "checkout", bound_commit),
                exit_code=ExitCode.STALE,
            )
        )


def uncommitted_changes(context: Context, files: Iterable[Path]) -> tuple[Problem, ...]:
    """Return a warning if the run is bound to a commit and these files differ from it."""
    if context.commit is None:
        return ()
    if refusal := git_refusal(context.root, context.environ):
        summary = f"cannot determine whether the files are as committed: {refusal}"
        return (_warning(summary, refusal_hint(refusal)),)
    top_level = _git(context, "rev-parse", "--show-toplevel")
    if top_level is None:
        return ()
    paths = {path.resolve(): path for path in files}
    blobs = _committed_blobs(context, Path(top_level.removesuffix("\n")), paths)
    changed = [str(path) for real, path in paths.items() if not _is_blob(real, blobs.get(real, ""))]
    if not changed:
        return ()
    summary = f"{', '.join(changed)}: not as in the commit that the plan is bound to"
    return (_warning(summary, "commit, then plan again"),)


def _committed_blobs(context: Context, top: Path, files: Iterable[Path]) -> dict[Path, str]:
    """Return the object ID of each of these files that is in the commit."""
    inside = [str(path.relative_to(top)) for path in files if path.is_relative_to(top)]
    listed = _git(context, "ls-tree", "-z", "--full-tree", "HEAD", "--", *inside) if inside else None
    entries = (entry.split("\t", 1) for entry in (listed or "").split("\0") if entry)
    return {top / name: description.split()[2] for description, name in entries}


def _is_blob(path: Path, object_id: str) -> bool:
    """Return whether the content of the file has that object ID.

    `git diff` would run the filters that the repository configures.
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
        detail="A checkout of that commit may hold other files than those that this plan was made from.",
        hint=hint,
    )


def _git(context: Context, *arguments: str) -> str | None:
    """Return the output of git in the root; None if git is missing, fails or does not answer."""
    output = run_git(context.root, *arguments, environ=context.environ)
    return output.out if output is not None and output.code == 0 else None
