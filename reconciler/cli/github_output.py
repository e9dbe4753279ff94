"""GitHub Actions: annotations on stderr, and the report in the summary of the job."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.cli.options import Run
    from reconciler.model.problem import Place, Problem
    from reconciler.model.run_report import RunReport


def write_github_output(run: Run, found: RunReport) -> None:
    """Say what was found where GitHub shows it; nothing at all elsewhere."""
    if _is_there(run):
        _annotate(run, found)
        if path := run.context.environ.get("GITHUB_STEP_SUMMARY"):
            _summarize(run, found, Path(path))


def annotate(run: Run, problems: Sequence[Problem]) -> None:
    """The annotations alone, of a command without a report; nothing at all elsewhere."""
    if _is_there(run):
        from reconciler.model.run_report import RunReport

        _annotate(run, RunReport(command="", timestamp="", exit_code=0, problems=tuple(problems)))


def _is_there(run: Run) -> bool:
    return run.context.environ.get("GITHUB_ACTIONS") == "true"


def _annotate(run: Run, found: RunReport) -> None:
    from reconciler.reports.run.github import annotation_lines

    path_of = _in_repository(run.context.root, run.context.environ.get("GITHUB_WORKSPACE"))
    for line in annotation_lines(found, path_of):
        run.out.command(line)


def _in_repository(root: Path, workspace: str | None) -> Callable[[Place], str]:
    """What gives the file of a place as the repository knows it: -C may lead into a folder of it."""

    def path_of(place: Place) -> str:
        file = Path(os.path.normpath(root.resolve() / place.file))
        top = Path(workspace).resolve() if workspace else file
        return file.relative_to(top).as_posix() if top in file.parents else place.file

    return path_of


def _summarize(run: Run, found: RunReport, path: Path) -> None:
    from reconciler.model.problem import Problem, Severity
    from reconciler.reports.run.markdown import markdown_text

    try:
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(markdown_text(found) + "\n")
    except OSError as error:
        summary = f"cannot write the job summary: {error.strerror or error}"
        run.out.problems([Problem(code="summary-not-written", summary=summary, severity=Severity.WARNING)])
