"""`--events`: an apply as a stream of JSON, a message a line."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from reconciler.cli.heartbeat import INTERVAL, Heartbeat
from reconciler.model.apply_events import (
    ApplyEvent,
    ApplyReport,
    ChangeEnded,
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
    """A whole line at once, out of the door."""
    sys.stdout.write(line)
    sys.stdout.flush()


def utc_now() -> datetime:
    return datetime.now(UTC)


class Stream:
    """Writes messages from any thread, one line at a time; as a context it shows signs of life.

    A reader who has left stops no apply: what cannot be written is not.
    """

    def __init__(
        self,
        write: Callable[[str], None] = to_stdout,
        *,
        interval: float = INTERVAL,
        now: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime] = utc_now,
    ) -> None:
        self._write = write
        self._writing = threading.Lock()
        self._today = today
        self._planned: Plan | None = None
        self._results: list[ChangeResult] = []
        self._heart = Heartbeat(self._beat, interval=interval, now=now)
        self._say(version_message())

    def __enter__(self) -> Stream:
        self._heart.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._heart.__exit__()

    def __call__(self, event: ApplyEvent) -> None:
        elapsed = 0.0
        match event:
            case ChangeStarted(change=change):
                self._heart.begin(change)
            case ChangeWaiting(change=change):
                self._heart.begin(change)
                elapsed = self._heart.elapsed(change)
            case ChangeEnded(result=result):
                self._heart.end(result.change)
                self._results.append(result)
            case ChangeServing(change=change):
                self._heart.end(change)
        if (message := event_message(event, elapsed)) is not None:
            self._say(message)

    def planned(self, plan: Plan) -> None:
        """Tell of a plan, once."""
        if plan is not self._planned:
            self._planned = plan
            for message in plan_messages(plan):
                self._say(message)

    def end(self, found: RunReport) -> None:
        """The last words, whatever the end was."""
        if found.plan is not None:
            self.planned(found.plan)
        interrupted = found.exit_code == ExitCode.INTERRUPTED
        report = found.report or ApplyReport(results=tuple(self._results), interrupted=interrupted)
        for message in final_messages(found, report):
            self._say(message)

    def _beat(self, change: Change, elapsed: float) -> None:
        self._say(progress_message(change, elapsed))

    def _say(self, message: Message) -> None:
        stamped = {
            "@level": message["@level"],
            "@message": message["@message"],
            "@module": "reconciler.ui",
            "@timestamp": self._today().isoformat(timespec="microseconds").replace("+00:00", "Z"),
            **message,
        }
        # in ASCII, so that no terminal, no surrogate and no line separator of Unicode can break a line
        with self._writing, suppress(OSError):
            self._write(in_json(json.dumps(stamped)) + "\n")
