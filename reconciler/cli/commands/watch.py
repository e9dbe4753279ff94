"""The command `reconciler watch`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Command, Run, duration_seconds, output_option, with_run
from reconciler.model.problem import ExitCode

if TYPE_CHECKING:
    from reconciler.cli.output import Output
    from reconciler.workflow.watch import WatchUpdate


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option(
    "--interval",
    type=duration_seconds,
    metavar="DURATION",
    help="Time between two polls. (default: poll_interval of config.yaml)",
)
@click.option(
    "--for",
    "within",
    type=duration_seconds,
    metavar="DURATION",
    help="Stop after this long, such as 90s or 10m.",
)
@click.option("--initial", is_flag=True, help="Start with one event for each existing endpoint.")
@output_option
@with_run
def watch(
    run: Run,
    name: str | None,
    interval: float | None,
    within: float | None,
    initial: bool,
    output: str | None,
) -> int:
    """Watch all endpoints or one endpoint for changes.

    watch shows a live table on a terminal, and otherwise one line per event; with --json, one JSON document
    per line. It stops on Ctrl-C with exit code 130, or after --for with exit code 0.
    """
    if interval == 0:
        raise click.BadParameter("must be more than 0", param_hint="--interval")
    context = replace(run.context, on_listed=None)  # the table is what moves here
    context = run.list_early(context)
    from reconciler.cli.errors import problems_of
    from reconciler.model.errors import ReconcilerError
    from reconciler.reports.views.documents import problem_document
    from reconciler.workflow.watch import watch as poll

    seen = poll(context, name=name, every=interval, within=within, initial=initial)
    try:
        with closing(seen):
            if run.out.as_json or output == "name" or run.out.screen is None:
                _lines(run.out, seen, output)
            else:
                _board(run.out, seen, wide=output == "wide")
    except (ReconcilerError, KeyboardInterrupt) as error:
        if not run.out.as_json:
            raise
        problems, code = problems_of(
            error
        )  # a stream of records has no place for the document of other commands
        for problem in problems:
            run.out.record(problem_document(problem, _moment()))
        return code
    return ExitCode.OK


def _lines(out: Output, seen: Iterator[WatchUpdate], output: str | None) -> None:
    from reconciler.reports.terminal.values import plain
    from reconciler.reports.views.documents import event_document, problem_document
    from reconciler.reports.views.endpoints import event_text

    for look in seen:
        at = _moment()
        if look.problem is not None and out.as_json:
            out.record(problem_document(look.problem, at))
        elif look.problem is not None:
            out.problems([look.problem])
        for event in look.events:
            if out.as_json:
                out.record(event_document(event, at))
            elif output == "name":
                out.result(f"{plain(event.name)}\n")
            else:
                out.result(event_text(event, at, out.style, wide=output == "wide") + "\n")


def _board(out: Output, seen: Iterator[WatchUpdate], *, wide: bool) -> None:
    from reconciler.reports.views.endpoints import WATCH, WIDE_WATCH
    from reconciler.reports.views.live_table import LiveTable

    assert out.screen is not None
    first = next(seen)
    with LiveTable(WIDE_WATCH if wide else WATCH, out.screen) as board:
        for look in chain((first,), seen):
            screen = out.screen  # its size may change
            if screen is None:
                raise BrokenPipeError  # the terminal is gone, and rich would go on without a word
            board.show(look.endpoints, look.events, look.problem, datetime.now(UTC), screen)


def _moment() -> str:
    from reconciler.cli.output import timestamp

    return timestamp()
