"""The commit that a run's files are at: asked of git, else of the pipeline's environment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from reconciler.inventory.git import Answer, ask, refusal, way_out
from reconciler.model.command import command_line
from reconciler.model.errors import InvalidConfig
from reconciler.model.exit_codes import Exit
from reconciler.model.problem import Problem, Severity
from reconciler.workflow.runtime.context import Context

VARIABLES: Final = ("GITHUB_SHA", "CI_COMMIT_SHA")
"""Where GitHub and GitLab say which commit a job is about."""


def commit_of(context: Context) -> str:
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
