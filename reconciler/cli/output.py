"""Output of a run: results on stdout, all other text on stderr; with --json, one document on stdout."""

from __future__ import annotations

import json
import os
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
from reconciler.model.text import utc_text
from reconciler.model.values import Json
from reconciler.reports.terminal.escape import for_terminal, in_json, plain
from reconciler.reports.terminal.style import Style

if TYPE_CHECKING:
    from reconciler.cli.event_stream import EventStream
    from reconciler.model.plan import Plan
    from reconciler.model.resource import ListingProgress, Live
    from reconciler.model.run_report import RunReport
    from reconciler.novita.http.client import CallInfo
    from reconciler.reports.terminal.progress_bar import ProgressBar
    from reconciler.reports.terminal.table import Screen


class Output:
    """The output of one run. `report` is the run report that was last shown, for the report files.

    `explained` requests explanations of changes; `stream` is the writer of --events. Text for stderr may be
    written from any thread.
    """

    def __init__(self, *, as_json: bool = False, no_color: bool = False, is_verbose: bool = False) -> None:
        self.as_json = as_json
        self.is_verbose = is_verbose
        self.explained = False
        self.stream: EventStream | None = None
        self.report: RunReport | None = None
        self._lock = threading.RLock()  # guards stderr and the four fields below
        self._is_closed = False
        self._progress_bar: ProgressBar | None = None
        self._listing: ProgressBar | None = None
        self._unreadable: set[str] = set()
        self.style = Style(colour=is_coloured(sys.stdout, no_color=no_color))
        self.error_style = Style(colour=is_coloured(sys.stderr, no_color=no_color))

    @property
    def screen(self) -> Screen | None:
        """Return the terminal of stdout; None if stdout is no terminal, or one that cannot be drawn on."""
        if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
            return None
        from reconciler.reports.terminal.table import Screen

        return Screen(
            width=_terminal_width(),
            height=_terminal_height(),
            colour=self.style.colour,
            unicode=(sys.stdout.encoding or "").lower().startswith("utf"),
        )

    def set_report(self, run: RunReport) -> RunReport:
        """Store the run report for the report files; return it with explanations, if requested."""
        self.report = replace(run, explained=self.explained)
        return self.report

    def plan(self, run: RunReport) -> None:
        """Write a plan to stdout and its problems to stderr; with --json both are in the document."""
        run = self.set_report(run)
        if self.as_json:
            from reconciler.reports.run.json_plan import plan_parts

            self.document(plan_parts(run))
            return
        if self.stream is not None:
            if run.plan is not None:
                self.stream.write_plan(run.plan)
            return
        text = ""
        if run.drift_report is not None:
            from reconciler.reports.run.drift import drift_text

            text = drift_text(run, self.style, lists_unmanaged=self.is_verbose)
        elif run.plan is not None:
            from reconciler.reports.run.text import plan_text

            text = plan_text(run.plan, self.style, explained=run.explained, lists_unmanaged=self.is_verbose)
        if text:
            self.result(self.environment_line(run.environment) + text)
        if run.problems:
            self.tell("\n" if text else "")
            self.problems(run.problems)

    def environment_line(self, name: str) -> str:
        """Return the line that names the environment of a run; "" if it has none."""
        return f"Environment: {self.style.bold(name)}\n\n" if name else ""

    def plan_for_approval(self, plan: Plan) -> None:
        """Write a plan to stderr, for a person who approves it while stdout is kept for a document."""
        from reconciler.reports.run.text import plan_text

        text = plan_text(plan, self.error_style, explained=self.explained, lists_unmanaged=self.is_verbose)
        self.tell(text)
        if plan.problems:
            self.tell("\n" if text else "")
            self.problems(plan.problems)

    @property
    def is_machine_readable(self) -> bool:
        """Return True if stdout is for JSON only."""
        return self.as_json or self.stream is not None

    def result(self, text: str) -> None:
        """Write text to stdout, unless stdout is for JSON only."""
        if not self.is_machine_readable:
            _write(sys.stdout, for_terminal(text))

    def document(self, document: Json) -> None:
        """Write the JSON document of a run to stdout."""
        _write_document(document)

    def json_text(self, data: bytes) -> None:
        """Write a JSON text to stdout as it is, but for characters that a terminal would obey."""
        _write(sys.stdout, in_json(data.decode()))

    def record(self, record: Json) -> None:
        """Write one line of a JSON stream to stdout."""
        _write(sys.stdout, in_json(json.dumps(record, ensure_ascii=True)) + "\n")

    def tell(self, text: str) -> None:
        """Write text to stderr."""
        self._tell(for_terminal(text))

    def ci_command(self, line: str) -> None:
        """Write a command for a CI runner to stderr; untrusted text in it must be escaped."""
        self._tell(line + "\n")

    def _tell(self, text: str) -> None:
        with self._lock:
            if self._progress_bar is not None:
                self._progress_bar.above(text)
            elif not self._is_closed:
                _write(sys.stderr, text)

    @property
    def shows_progress(self) -> bool:
        """Return True if stderr is a terminal that can show progress."""
        return sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"

    def start_bar(self, title: str, total: int) -> ProgressBar:
        """Show a progress bar on stderr until `stop_bar`; other text is printed above it."""
        from reconciler.reports.terminal.progress_bar import ProgressBar

        with self._lock:
            self._progress_bar = ProgressBar(
                title,
                total,
                lambda text: _write(sys.stderr, text),
                columns=_terminal_width,
                style=self.error_style,
                unicode=(sys.stderr.encoding or "").lower().startswith("utf"),
            )
            return self._progress_bar

    def stop_bar(self) -> None:
        """Remove the progress bar."""
        with self._lock:
            bar, self._progress_bar = self._progress_bar, None
            if bar is not None:
                bar.stop()

    def close(self) -> None:
        """End the output of the run; later text of background threads is dropped."""
        with self._lock:
            self.stop_bar()
            self._is_closed = True

    def listing_progress(self, progress: ListingProgress) -> None:
        """Show the progress of a listing of the account."""
        with self._lock:
            if self._progress_bar is not self._listing or self._is_closed:
                return  # the progress bar of an apply takes precedence
            if progress.is_done:
                self.stop_bar()
                self._listing = None
                return
            bar = self._listing = self._progress_bar or self.start_bar("Listing endpoints", progress.total)
            bar.done, bar.total = progress.count, progress.total

    def line(self, text: str) -> None:
        """Write a line to stderr."""
        self.tell(text + "\n")

    def problems(self, problems: Iterable[Problem]) -> None:
        """Write problems to stderr, separated by empty lines."""
        if problems := tuple(problems):
            from reconciler.reports.terminal.problems import problems_text

            self.tell(problems_text(problems, self.error_style))

    def log_call(self, call: CallInfo) -> None:
        status = call.status if call.status is not None else "no response"
        again = f" (attempt {call.attempt})" if call.attempt > 1 else ""
        message = f": {plain(call.message)}" if call.message else ""
        words = f"{call.method} {call.path} {status} {call.seconds * 1000:.0f} ms{again}{message}"
        with suppress(OSError):  # a closed stderr must not end the run
            self.line(self.error_style.dim(words))

    def unreadable_fields(self, live: Live) -> None:
        """Write a line about unreadable fields of an endpoint, once per text."""
        from reconciler.planning.unreadable import describe_unread

        words = f"unreadable, so not compared: {plain(describe_unread(live))}"
        with self._lock, suppress(OSError):
            if words not in self._unreadable:
                self._unreadable.add(words)
                self.line(self.error_style.dim(words))


def fail(problems: Sequence[Problem], exit_code: int, *, as_json: bool = False, colour: bool = False) -> None:
    """Write the problems of a run that failed before it had any output."""
    if as_json:
        from reconciler.model.run_report import RunReport
        from reconciler.reports.run.json_plan import plan_document

        _write_document(
            plan_document(
                RunReport(command="", timestamp=timestamp(), exit_code=exit_code, problems=tuple(problems))
            )
        )
    else:
        from reconciler.reports.terminal.problems import problems_text

        _write(sys.stderr, for_terminal(problems_text(problems, Style(colour=colour))))


def is_coloured(stream: TextIO, *, no_color: bool = False) -> bool:
    """Return True if a stream is coloured: a terminal is, unless NO_COLOR or FORCE_COLOR is set."""
    if no_color or os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def timestamp() -> str:
    """Return the current time in Terraform's format."""
    return utc_text(datetime.now(UTC))


def _terminal_width() -> int:
    """Return the width of the terminal in columns."""
    from shutil import get_terminal_size

    return get_terminal_size().columns


def _terminal_height() -> int:
    """Return the height of the terminal in lines."""
    from shutil import get_terminal_size

    return get_terminal_size().lines


def _write_document(document: Json) -> None:
    """Write JSON to stdout in pieces, so that the text of a large plan is never in memory as a whole."""
    # characters that the stream cannot encode need JSON escapes instead of those of `_write`
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    if unicode and isinstance(document, dict):
        chunks = json_chunks(document)
    else:
        encoder = json.JSONEncoder(
            indent=2, ensure_ascii=not unicode, default=list
        )  # a list may be an iterator
        chunks = encoder.iterencode(document)
    while piece := "".join(islice(chunks, 2_000)):
        _write(sys.stdout, in_json(piece))
    _write(sys.stdout, "\n")


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    if not text.isascii():
        # lone surrogates, and terminals that are not UTF-8, must not cause a traceback
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    if os.name == "nt":  # click translates colours for old consoles
        click.echo(text, file=stream, nl=False)
        return
    stream.write(text)
    stream.flush()
