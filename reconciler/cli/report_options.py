"""The report files of a run: written at its end from what it found, also when it failed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from reconciler.cli.github_output import tell_github
from reconciler.cli.shell_completion import a_file
from reconciler.model.problem import ExitCode, Problem

if TYPE_CHECKING:
    from reconciler.cli.options import Run
    from reconciler.model.run_report import RunReport

force_option = click.option(
    "--force", is_flag=True, help="Let an output replace a file that is not of its own making."
)

FORMATS: Final[Mapping[str, str]] = {
    "json": "the JSON document",
    "markdown": "Markdown for a pull request",
    "html": "a page for browsers",
    "junit": "JUnit XML",
}


def with_reports(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command `--explain` and the `--...-into FILE` options.

    Its reports are written whatever its end is, and GitHub is told where it is GitHub that runs it.
    """

    @functools.wraps(command)
    def wrapped(run: Run, /, *, explain: bool, force: bool, **arguments: Any) -> int:
        wanted = {name: path for name in FORMATS if (path := arguments.pop(f"{name}_into")) is not None}
        plan = arguments.get("out")
        if wanted or plan is not None:
            _check(run, {**wanted, **({"plan": plan} if plan is not None else {})}, force=force)
        run.out.explained = explain
        try:
            code = command(run, **arguments)
        except BaseException as error:
            _finish(run, wanted, _cut_short(run, error), force=force)
            raise
        if run.out.found is None:  # a group, of which a command is still to come
            if explain or force or wanted:
                raise click.UsageError("the options of a report stand after the last word of the command")
            return code
        wrote_all = _finish(run, wanted, replace(run.out.found, exit_code=int(code)), force=force)
        return code if wrote_all or code not in (ExitCode.OK, ExitCode.CHANGES) else ExitCode.ERROR

    for name, what in reversed(tuple(FORMATS.items())):
        option = click.option(
            f"--{name}-into", metavar="FILE", help=f"Also write {what}.", shell_complete=a_file
        )
        wrapped = option(wrapped)
    wrapped = force_option(wrapped)
    return click.option("--explain", is_flag=True, help="Say why, by which rule, with which calls.")(wrapped)


def with_events(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command `--events`: stdout is a stream of JSON messages, and nobody is asked.

    What the command calls `approved`, `plan_file` or `resume` is what approves it.
    """

    @functools.wraps(command)
    def wrapped(run: Run, /, *, events: bool, **arguments: Any) -> int:
        if events:
            from reconciler.cli.event_stream import Stream

            if run.out.as_json:
                raise click.UsageError("--events and --json both take stdout; choose one")
            if not any(arguments.get(name) for name in ("approved", "plan_file", "resume")):
                raise click.UsageError(
                    "--events never asks: pass --auto-approve, or a plan saved with `plan --out`"
                )
            run.out.stream = Stream()
        return command(run, **arguments)

    option = click.option("--events", is_flag=True, help="Stream JSON messages to stdout as it goes.")
    return option(wrapped)


def _check(run: Run, wanted: Mapping[str, str], *, force: bool) -> None:
    """Raises InvalidConfig when a file that is to be written is there for something else."""
    from reconciler.model.errors import InvalidConfig
    from reconciler.workflow.runtime.outputs import OutputFile, output_problems

    outputs = [
        OutputFile(option="--out" if kind == "plan" else f"--{kind}-into", kind=kind, path=path)
        for kind, path in wanted.items()
    ]
    if refused := tuple(output_problems(run.context, outputs, force=force)):
        raise InvalidConfig(*refused)


def _cut_short(run: Run, error: BaseException) -> RunReport:
    """What was found before an error ended the run, and that error."""
    from reconciler.cli.errors import ending
    from reconciler.cli.output import timestamp
    from reconciler.model.run_report import RunReport

    problems, code = ending(error)
    command = run.context.command.removeprefix("reconciler ")
    found = run.out.found or RunReport(command=command, timestamp=timestamp(), exit_code=code)
    return replace(found, exit_code=code, problems=(*found.problems, *problems))


def _finish(run: Run, wanted: Mapping[str, str], found: RunReport, *, force: bool) -> bool:
    """Say the last words where they are wanted; whether all of the files could be written."""
    if run.out.stream is not None:
        run.out.stream.end(found)
    problems = [
        problem
        for name, path in wanted.items()
        if (problem := _written(run.context.root / path, path, name, _text(name, found), force=force))
    ]
    run.out.problems(problems)
    tell_github(run, found)
    return not problems


def _written(path: Path, shown: str, kind: str, text: str, *, force: bool) -> Problem | None:
    from reconciler.inventory.files import write_user_file
    from reconciler.workflow.runtime.outputs import overwrite_error

    if not force and (why := overwrite_error(path, kind)):  # it was not when the run began
        return Problem(code="report-not-written", summary=f"cannot write {shown}: {why}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_user_file(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        return Problem(code="report-not-written", summary=f"cannot write {shown}: {error.strerror or error}")
    return None


def _text(name: str, found: RunReport) -> str:
    match name:
        case "json":
            from reconciler.reports.run.json_plan import document_text as text_of
        case "markdown":
            from reconciler.reports.run.markdown import markdown_text as text_of
        case "html":
            from reconciler.reports.html.page import html_text as text_of
        case "junit":
            from reconciler.reports.run.junit import junit_text as text_of
        case _:
            raise AssertionError(name)
    return text_of(found)
