"""Options for reports, which are written at the end of a run, also of a failed one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from reconciler.cli.github_output import write_github_output
from reconciler.cli.options import ReportOption
from reconciler.cli.shell_completion import complete_files
from reconciler.model.problem import ExitCode, Problem

if TYPE_CHECKING:
    from reconciler.cli.options import Run
    from reconciler.model.run_report import RunReport

force_option = click.option(
    "--force", is_flag=True, cls=ReportOption, help="Overwrite output files that reconciler did not write."
)

FORMATS: Final[Mapping[str, str]] = {
    "json": "the JSON document",
    "markdown": "a Markdown report, for a pull request,",
    "html": "an HTML report",
    "junit": "a JUnit XML report",
}


def with_reports(command: Callable[..., int]) -> Callable[..., int]:
    """Add `--explain` and the `--...-into FILE` options to a command.

    The reports are also written if the command fails. In GitHub Actions, annotations and the job summary are
    written as well.
    """

    @functools.wraps(command)
    def wrapped(run: Run, /, *, explain: bool, force: bool, **arguments: Any) -> int:
        paths = {name: path for name in FORMATS if (path := arguments.pop(f"{name}_into")) is not None}
        plan = arguments.get("out")
        if paths or plan is not None:
            _check(run, {**paths, **({"plan": plan} if plan is not None else {})}, force=force)
        run.out.explained = explain
        try:
            code = command(run, **arguments)
        except BaseException as error:
            _finish(run, paths, _failed_report(run, error), force=force)
            raise
        if run.out.report is None:  # a group whose subcommand runs next
            if explain or force or paths:
                raise click.UsageError("report options must be given after the subcommand")
            return code
        wrote_all = _finish(run, paths, replace(run.out.report, exit_code=int(code)), force=force)
        return code if wrote_all or code not in (ExitCode.OK, ExitCode.CHANGES) else ExitCode.ERROR

    for name, what in reversed(tuple(FORMATS.items())):
        option = click.option(
            f"--{name}-into",
            cls=ReportOption,
            metavar="FILE",
            help=f"Also write {what} to this file.",
            shell_complete=complete_files,
        )
        wrapped = option(wrapped)
    wrapped = force_option(wrapped)
    explain_option = click.option(
        "--explain",
        is_flag=True,
        cls=ReportOption,
        help="Explain each change: its cause, the rule that decided it, and its API calls.",
    )
    return explain_option(wrapped)


def with_events(command: Callable[..., int]) -> Callable[..., int]:
    """Add `--events` to a command: stdout becomes a stream of JSON messages, and there is no approval prompt.

    The parameters `approved`, `plan_file` and `resume` of the command count as approval.
    """

    @functools.wraps(command)
    def wrapped(run: Run, /, *, events: bool, **arguments: Any) -> int:
        if events:
            from reconciler.cli.event_stream import EventStream

            if run.out.as_json:
                raise click.UsageError("--events and --json both write to stdout; use one of them")
            if not any(arguments.get(name) for name in ("approved", "plan_file", "resume")):
                params = click.get_current_context().command.params
                takes_plan = any(param.name == "plan_file" for param in params)
                saved = ", or a plan saved with `plan --out`" if takes_plan else ""
                raise click.UsageError(f"--events cannot ask for approval: pass --auto-approve{saved}")
            run.out.stream = EventStream()
        return command(run, **arguments)

    option = click.option(
        "--events",
        is_flag=True,
        cls=ReportOption,
        help="Write JSON messages to stdout during the run, one per line.",
    )
    return option(wrapped)


def _check(run: Run, paths: Mapping[str, str], *, force: bool) -> None:
    """Raise InvalidConfig if an output file exists and serves another purpose."""
    from reconciler.model.errors import InvalidConfig
    from reconciler.workflow.runtime.outputs import OutputFile, output_problems

    files = [
        OutputFile(option="--out" if kind == "plan" else f"--{kind}-into", kind=kind, path=path)
        for kind, path in paths.items()
    ]
    if refused := tuple(output_problems(run.context, files, force=force)):
        raise InvalidConfig(*refused)


def _failed_report(run: Run, error: BaseException) -> RunReport:
    """Return the findings up to the error that ended the run, including that error."""
    from reconciler.cli.errors import problems_of
    from reconciler.cli.output import timestamp
    from reconciler.model.run_report import RunReport

    problems, code = problems_of(error)
    command = run.context.command.removeprefix("reconciler ")
    report = run.out.report or RunReport(
        command=command, timestamp=timestamp(), exit_code=code, environment=run.context.environment_name
    )
    return replace(report, exit_code=code, problems=(*report.problems, *problems))


def _finish(run: Run, paths: Mapping[str, str], report: RunReport, *, force: bool) -> bool:
    """Write all reports of a run; return True if every file could be written."""
    if run.out.stream is not None:
        run.out.stream.finish(report)
    problems = [
        problem
        for name, path in paths.items()
        if (problem := _written(run.context.root / path, path, name, _text(name, report), force=force))
    ]
    run.out.problems(problems)
    write_github_output(run, report)
    return not problems


def _written(path: Path, shown: str, kind: str, text: Iterable[str], *, force: bool) -> Problem | None:
    from reconciler.inventory.files import write_user_file
    from reconciler.workflow.runtime.outputs import overwrite_error

    if not force and (why := overwrite_error(path, kind)):  # it was not when the run began
        return Problem(code="report-not-written", summary=f"cannot write {shown}: {why}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_user_file(path, (piece.encode("utf-8", "backslashreplace") for piece in text))
    except OSError as error:
        return Problem(code="report-not-written", summary=f"cannot write {shown}: {error.strerror or error}")
    return None


def _text(name: str, report: RunReport) -> Iterable[str]:
    """Return a report in pieces."""
    match name:
        case "json":
            from reconciler.reports.run.json_plan import json_text

            return json_text(report)
        case "markdown":
            from reconciler.reports.run.markdown import markdown_text

            return (markdown_text(report),)
        case "html":
            from reconciler.reports.html.page import html_text

            return (html_text(report),)
        case "junit":
            from reconciler.reports.run.junit import junit_text

            return (junit_text(report),)
        case _:
            raise AssertionError(name)
