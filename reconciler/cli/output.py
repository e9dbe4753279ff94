"""Where words go: stdout carries the result, stderr the rest; with --json stdout is one document."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, TextIO

import click

from reconciler.model.encoding import json_chunks
from reconciler.model.problem import Problem
from reconciler.model.values import Json
from reconciler.reports.terminal.escape import for_terminal, in_json, plain
from reconciler.reports.terminal.problems import problems_text
from reconciler.reports.terminal.style import Style

if TYPE_CHECKING:
    from reconciler.cli.event_stream import Stream
    from reconciler.model.plan import Plan
    from reconciler.model.resource import ListingProgress, Live
    from reconciler.model.run_report import RunReport
    from reconciler.novita.http.client import CallInfo
    from reconciler.reports.terminal.progress_bar import ProgressBar
    from reconciler.reports.terminal.table import Screen


class Output:
    """The two streams of one run. `found` is what was last shown on them, for the reports.

    `explained`: each change is to be explained; `stream` has stdout to itself when there is one. What is
    told beside the result may be told from any thread.
    """

    def __init__(self, *, as_json: bool = False, no_color: bool = False) -> None:
        self.as_json = as_json
        self.explained = False
        self.stream: Stream | None = None
        self.found: RunReport | None = None
        self._guard = threading.RLock()  # of stderr and the four below
        self._is_over = False
        self._progress_bar: ProgressBar | None = None
        self._listing: ProgressBar | None = None
        self._unread: set[str] = set()
        self.style = Style(colour=is_coloured(sys.stdout, no_color=no_color))
        self.error_style = Style(colour=is_coloured(sys.stderr, no_color=no_color))

    @property
    def screen(self) -> Screen | None:
        """The terminal behind stdout; None where there is none, or one that cannot be drawn on."""
        if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
            return None
        from reconciler.reports.terminal.table import Screen

        return Screen(
            width=shutil.get_terminal_size().columns,
            colour=self.style.colour,
            unicode=(sys.stdout.encoding or "").lower().startswith("utf"),
        )

    def keep(self, found: RunReport) -> RunReport:
        """Remember what was found for the reports, as it is to be told."""
        self.found = replace(found, explained=self.explained)
        return self.found

    def plan(self, found: RunReport) -> None:
        """Write a plan to stdout and its problems to stderr; with --json both are in the document."""
        found = self.keep(found)
        if self.as_json:
            from reconciler.reports.run.json_plan import plan_document

            self.document(plan_document(found))
            return
        if self.stream is not None:
            if found.plan is not None:
                self.stream.planned(found.plan)
            return
        text = ""
        if found.drift_report is not None:
            from reconciler.reports.run.drift import drift_text

            self.result(text := drift_text(found, self.style))
        elif found.plan is not None:
            from reconciler.reports.run.text import plan_text

            self.result(text := plan_text(found.plan, self.style, explained=found.explained))
        if found.problems:
            self.tell("\n" if text else "")
            self.problems(found.problems)

    def plan_for_approval(self, plan: Plan) -> None:
        """Write a plan to stderr, for a person who approves it while stdout is kept for a document."""
        from reconciler.reports.run.text import plan_text

        text = plan_text(plan, self.error_style, explained=self.explained)
        self.tell(text)
        if plan.problems:
            self.tell("\n" if text else "")
            self.problems(plan.problems)

    @property
    def is_for_programs(self) -> bool:
        """Whether no words for people belong on stdout."""
        return self.as_json or self.stream is not None

    def result(self, text: str) -> None:
        """Text for stdout, if it is for people."""
        if not self.is_for_programs:
            _write(sys.stdout, for_terminal(text))

    def document(self, document: Json) -> None:
        """The one JSON document of a run."""
        _write_document(document)

    def record(self, record: Json) -> None:
        """One line of JSON in a stream of them, there as soon as it is written."""
        _write(sys.stdout, in_json(json.dumps(record, ensure_ascii=True)) + "\n")

    def tell(self, text: str) -> None:
        """Text beside the result."""
        self._tell(for_terminal(text))

    def command(self, line: str) -> None:
        """A line that the runner of a CI job is to take for a command; what is foreign in it is escaped."""
        self._tell(line + "\n")

    def _tell(self, text: str) -> None:
        with self._guard:
            if self._progress_bar is not None:
                self._progress_bar.above(text)
            elif not self._is_over:
                _write(sys.stderr, text)

    @property
    def is_watched(self) -> bool:
        """Whether somebody sees how a run gets on."""
        return sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"

    def begin(self, what: str, total: int) -> ProgressBar:
        """A bar on stderr; what is told beside the result passes above it until its `end`."""
        from reconciler.reports.terminal.progress_bar import ProgressBar

        with self._guard:
            self._progress_bar = ProgressBar(
                what,
                total,
                lambda text: _write(sys.stderr, text),
                columns=lambda: shutil.get_terminal_size().columns,
                style=self.error_style,
                unicode=(sys.stderr.encoding or "").lower().startswith("utf"),
            )
            return self._progress_bar

    def end(self) -> None:
        """The bar has served."""
        with self._guard:
            bar, self._progress_bar = self._progress_bar, None
            if bar is not None:
                bar.stop()

    def close(self) -> None:
        """The run is over: what still goes on in a thread has nothing to say any more."""
        with self._guard:
            self.end()
            self._is_over = True

    def listed(self, found: ListingProgress) -> None:
        """A page of the account has come, or its last one."""
        with self._guard:
            if self._progress_bar is not self._listing or self._is_over:
                return  # an apply has the last line
            if found.is_done:
                self.end()
                self._listing = None
                return
            bar = self._listing = self._progress_bar or self.begin("Listing endpoints", found.total)
            bar.done, bar.total = found.count, found.total

    def line(self, text: str) -> None:
        self.tell(text + "\n")

    def problems(self, problems: Iterable[Problem]) -> None:
        """Problems beside the result, an empty line between two of them."""
        self.tell(problems_text(problems, self.error_style))

    def call(self, call: CallInfo) -> None:
        status = call.status if call.status is not None else "no response"
        again = f" (attempt {call.attempt})" if call.attempt > 1 else ""
        said = f": {plain(call.said)}" if call.said else ""
        words = f"{call.method} {call.path} {status} {call.seconds * 1000:.0f} ms{again}{said}"
        with suppress(OSError):  # a call that was made is made, whoever hears of it
            self.line(self.error_style.dim(words))

    def unread(self, live: Live) -> None:
        """A part of an answer cannot be read; said once, however often it is answered."""
        from reconciler.planning.unreadable import describe_unread

        words = f"unreadable, so not compared: {plain(describe_unread(live))}"
        with self._guard, suppress(OSError):
            if words not in self._unread:
                self._unread.add(words)
                self.line(self.error_style.dim(words))


def fail(problems: Sequence[Problem], exit_code: int, *, as_json: bool = False, colour: bool = False) -> None:
    """The last words of a run that could not do its work."""
    if as_json:
        from reconciler.model.run_report import RunReport
        from reconciler.reports.run.json_plan import plan_document

        _write_document(
            plan_document(
                RunReport(command="", timestamp=timestamp(), exit_code=exit_code, problems=tuple(problems))
            )
        )
    else:
        _write(sys.stderr, for_terminal(problems_text(problems, Style(colour=colour))))


def is_coloured(stream: TextIO, *, no_color: bool = False) -> bool:
    """Return True if a stream is coloured: a terminal is, unless NO_COLOR or FORCE_COLOR is set."""
    if no_color or os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def timestamp() -> str:
    """Now, as Terraform writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write_document(document: Json) -> None:
    """JSON on stdout, in pieces: the plan of a large account is never whole in memory as text."""
    # what the stream cannot hold must be escaped as JSON does it, not as `_write` would
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    if unicode and isinstance(document, dict):
        found = json_chunks(document)
    else:
        found = json.JSONEncoder(indent=2, ensure_ascii=not unicode).iterencode(document)
    while piece := "".join(islice(found, 2_000)):
        _write(sys.stdout, in_json(piece))
    _write(sys.stdout, "\n")


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    if not text.isascii():
        # a lone surrogate, or a terminal that is not UTF-8, must not end a run in a traceback
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    if os.name == "nt":  # an old console there needs click to translate colours
        click.echo(text, file=stream, nl=False)
        return
    stream.write(text)
    stream.flush()
