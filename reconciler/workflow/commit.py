"""The commit that a run's files are at: asked of git, else of the pipeline's environment."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from reconciler.model.command import command_line
from reconciler.model.errors import InvalidConfig
from reconciler.model.exits import Exit
from reconciler.model.problem import Problem, Severity
from reconciler.workflow.context import Context

VARIABLES: Final = ("GITHUB_SHA", "CI_COMMIT_SHA")
"""Where GitHub and GitLab say which commit a job is about."""


def commit_of(context: Context) -> str:
    """The full SHA. Raises InvalidConfig where neither git nor a pipeline knows one."""
    found = _git(context, "rev-parse", "--verify", "--quiet", "HEAD") or next(
        filter(None, map(context.environ.get, VARIABLES)), None
    )
    if found is None:
        raise InvalidConfig(
            Problem(
                code="no-commit",
                summary="it cannot be told which commit this is: there is no git checkout here",
                hint=f"run it in a checkout, set {' or '.join(VARIABLES)}, or plan without --bind-commit",
            )
        )
    return found.strip()


def check_commit(context: Context, bound: str, shown: str) -> None:
    """Raises InvalidConfig when what is `shown` so was bound to another commit than this."""
    current = commit_of(context)
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
    folder = _git(context, "rev-parse", "--show-toplevel") if context.commit is not None else None
    if folder is None:
        return ()
    top = Path(folder.strip())
    known = {path.resolve(): path for path in files}
    inside = [str(path) for path in known if path.is_relative_to(top)]
    listed = _git(context, "status", "--porcelain", "-z", "-uall", "--ignored", "--no-renames", "--", *inside)
    differing = {top / line[3:] for line in (listed or "").split("\0")}
    apart = [str(path) for real, path in known.items() if real in differing or not real.is_relative_to(top)]
    if not apart:
        return ()
    return (
        Problem(
            code="uncommitted",
            severity=Severity.WARNING,
            summary=f"{', '.join(apart)}: not as in the commit that the plan is bound to",
            detail="The binding promises less than it says: a checkout of that commit holds other files.",
            hint="commit, then plan again",
        ),
    )


def _git(context: Context, *arguments: str) -> str | None:
    """What git says in the run's folder; None where there is no git, or nothing that it can tell of."""
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the words are ours or paths behind `--`
            ["git", "--no-optional-locks", "--literal-pathspecs", "-C", context.root, *arguments],  # noqa: S607 - the git that the user has
            env=context.environ,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
