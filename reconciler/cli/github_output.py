"""Output for GitHub Actions: annotations on stderr, and the report in the job summary."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.cli.options import Run
    from reconciler.model.problem import Place, Problem
    from reconciler.model.run_report import RunReport


def write_github_output(run: Run, report: RunReport) -> None:
    """Write the annotations and the job summary of a run, if it runs in GitHub Actions."""
    if _in_github_actions(run):
        _annotate(run, report)
        if path := run.context.environ.get("GITHUB_STEP_SUMMARY"):
            _summarize(run, report, Path(path))


def annotate(run: Run, problems: Sequence[Problem]) -> None:
    """Write the annotations of a command without a report, if it runs in GitHub Actions."""
    if _in_github_actions(run):
        from reconciler.model.run_report import RunReport

        _annotate(run, RunReport(command="", timestamp="", exit_code=0, problems=tuple(problems)))


def _in_github_actions(run: Run) -> bool:
    return run.context.environ.get("GITHUB_ACTIONS") == "true"


def _annotate(run: Run, report: RunReport) -> None:
    from reconciler.reports.run.github import annotation_lines

    path_of = _repository_path(run.context.root, run.context.environ.get("GITHUB_WORKSPACE"))
    for line in annotation_lines(report, path_of):
        run.out.ci_command(line)


def _repository_path(root: Path, workspace: str | None) -> Callable[[Place], str]:
    """Return a function that returns the path of a place in the repository; -C may name a subfolder."""

    def path_of(place: Place) -> str:
        file = Path(os.path.normpath(root.resolve() / place.file))
        top = Path(workspace).resolve() if workspace else file
        return file.relative_to(top).as_posix() if top in file.parents else place.file

    return path_of


def _summarize(run: Run, report: RunReport, path: Path) -> None:
    from reconciler.model.problem import Problem, Severity
    from reconciler.reports.run.markdown import markdown_text

    try:
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(markdown_text(report) + "\n")
    except OSError as error:
        summary = f"cannot write the job summary: {error.strerror or error}"
        run.out.problems([Problem(code="summary-not-written", summary=summary, severity=Severity.WARNING)])
