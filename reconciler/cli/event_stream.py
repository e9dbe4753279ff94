"""`--events`: an apply as a stream of JSON messages, one per line."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from reconciler.cli.heartbeat import Heartbeat
from reconciler.model import durations
from reconciler.model.apply_events import (
    ApplyEvent,
    ApplyReport,
    ChangeEnded,
    ChangeProbed,
    ChangeResult,
    ChangeServing,
    ChangeStarted,
    ChangeWaiting,
)
from reconciler.model.plan import Change, Plan
from reconciler.model.problem import ExitCode
from reconciler.model.run_report import RunReport
from reconciler.reports.run.apply_stream import (
    Message,
    event_message,
    final_messages,
    plan_messages,
    progress_message,
    version_message,
)
from reconciler.reports.terminal.escape import in_json


def to_stdout(line: str) -> None:
    """Write a line to stdout and flush it."""
    sys.stdout.write(line)
    sys.stdout.flush()


def utc_now() -> datetime:
    return datetime.now(UTC)


class EventStream:
    """Writes messages from any thread, one per line; as a context manager, it also writes progress messages.

    If the reader closes stdout, messages are dropped and the apply continues.
    """

    def __init__(
        self,
        write: Callable[[str], None] = to_stdout,
        *,
        interval: float = durations.HEARTBEAT_INTERVAL,
        now: Callable[[], float] = time.monotonic,
        utc_time: Callable[[], datetime] = utc_now,
    ) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._utc_time = utc_time
        self._plan: Plan | None = None
        self._results: list[ChangeResult] = []
        self._heartbeat = Heartbeat(self._on_beat, interval=interval, now=now)
        self._write_message(version_message())

    def __enter__(self) -> EventStream:
        self._heartbeat.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._heartbeat.__exit__()

    def __call__(self, event: ApplyEvent) -> None:
        elapsed = 0.0
        match event:
            case ChangeStarted(change=change):
                self._heartbeat.begin(change)
            case ChangeWaiting(change=change):
                self._heartbeat.begin(change)
                elapsed = self._heartbeat.elapsed(change)
            case ChangeEnded(result=result):
                self._heartbeat.end(result.change)
                self._results.append(result)
            case ChangeServing(change=change) | ChangeProbed(change=change):
                self._heartbeat.end(change)
        if (message := event_message(event, elapsed)) is not None:
            self._write_message(message)

    def write_plan(self, plan: Plan) -> None:
        """Write the messages of a plan, once."""
        if plan is not self._plan:
            self._plan = plan
            for message in plan_messages(plan):
                self._write_message(message)

    def finish(self, run: RunReport) -> None:
        """Write the last messages of a run, also of a failed one."""
        if run.plan is not None:
            self.write_plan(run.plan)
        interrupted = run.exit_code == ExitCode.INTERRUPTED
        report = run.report or ApplyReport(results=tuple(self._results), interrupted=interrupted)
        for message in final_messages(run, report):
            self._write_message(message)

    def _on_beat(self, change: Change, elapsed: float) -> None:
        self._write_message(progress_message(change, elapsed))

    def _write_message(self, message: Message) -> None:
        stamped = {
            "@level": message["@level"],
            "@message": message["@message"],
            "@module": "reconciler.ui",
            "@timestamp": self._utc_time().isoformat(timespec="microseconds").replace("+00:00", "Z"),
            **message,
        }
        # in ASCII, so that surrogates and line separators of Unicode cannot break a line
        with self._lock, suppress(OSError):
            self._write(in_json(json.dumps(stamped)) + "\n")
