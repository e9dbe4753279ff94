"""Applies that a person approved on the page: their progress, their result, and the plan they must equal."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from reconciler.model.apply_events import (
    ApplyEvent,
    ApplyStarted,
    ChangeEnded,
    ChangeServing,
    ChangeStarted,
    ChangeWaiting,
    WaitStarted,
)
from reconciler.model.errors import ReconcilerError
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.run_report import RunReport
from reconciler.model.text import utc_text
from reconciler.server.account_service import TooManyWrites
from reconciler.server.service import Service
from reconciler.server.tokens import Caller
from reconciler.workflow.approve import DigestApproval, apply_approved
from reconciler.workflow.runtime.context import Context

MAX_RUNS: Final = 50
"""Runs that are kept (count)."""


class Run:
    """One apply. `digest` is that of the plan that was approved; `report` is None until it has ended.

    progress: each change that has begun, with its state in words. `total` counts the changes.
    """

    def __init__(self, number: int, who: str, digest: str, started_at: datetime) -> None:
        self.number = number
        self.who = who
        self.digest = digest
        self.started_at = started_at
        self.ended_at: datetime | None = None
        self.total = 0
        self.progress: dict[str, tuple[str, str]] = {}
        self.report: RunReport | None = None
        self.crash = ""
        self.stop = threading.Event()

    @property
    def is_running(self) -> bool:
        return self.ended_at is None

    @property
    def done(self) -> int:
        """Return the number of changes that have ended."""
        return sum(not words.startswith("in progress") for _, words in self.progress.values())


class Runs:
    """The runs of this server, newest first. `number` grows with each change of one."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._tasks: set[asyncio.Task[None]] = set()
        self._change: asyncio.Future[None] | None = None
        self._count = 0
        self.number = 0
        self.all: list[Run] = []

    def find(self, number: str) -> Run | None:
        return next((run for run in self.all if str(run.number) == number), None)

    async def changed(self) -> None:
        """Wait for the next change of a run."""
        if self._change is None or self._change.done():
            self._change = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._change)

    def start(self, caller: Caller, digest: str) -> Run:
        """Begin to apply the plan of that digest. It runs to its end, even if the browser goes away."""
        context = self._service.context_for(caller)
        self._count += 1
        run = Run(self._count, caller.name, digest, context.now())
        self.all = [run, *self.all][:MAX_RUNS]
        task = asyncio.create_task(self._perform(run, context))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._tell()
        return run

    async def _perform(self, run: Run, context: Context) -> None:
        loop = asyncio.get_running_loop()

        def tell() -> None:
            loop.call_soon_threadsafe(self._tell)

        stopping = asyncio.create_task(self._stop_with_server(run))
        try:
            run.report = await self._service.write(
                lambda: apply_approved(context, _Approval(run, tell), run.stop)
            )
        except ReconcilerError as error:
            run.report = _failed(context, error.problems)
        except TooManyWrites:
            run.report = _failed(context, (_busy(),))
        except Exception as error:  # its text could hold a secret
            run.crash = type(error).__name__
        finally:
            stopping.cancel()
            run.ended_at = context.now()
            self._tell()

    async def _stop_with_server(self, run: Run) -> None:
        await self._service.stopping.wait()
        run.stop.set()

    def _tell(self) -> None:
        self.number += 1
        if self._change is not None and not self._change.done():
            self._change.set_result(None)


class _Approval(DigestApproval):
    """The approval of a run, which tells the run how far its changes are."""

    def __init__(self, run: Run, tell: Callable[[], None]) -> None:
        super().__init__(run.digest)
        self._run = run
        self._tell = tell

    def on_event(self, event: ApplyEvent) -> None:
        progress = self._run.progress
        match event:
            case ApplyStarted(total=total):
                self._run.total = total
            case ChangeStarted(change=change):
                progress[change.key] = (change.action.value, "in progress")
            case ChangeWaiting(change=change, why=why):
                progress[change.key] = (change.action.value, f"in progress: {why}")
            case ChangeEnded(result=result):
                change = result.change
                progress[change.key] = (change.action.value, result.outcome.value)
            case WaitStarted() | ChangeServing():
                pass
        self._tell()


def _failed(context: Context, problems: Sequence[Problem]) -> RunReport:
    codes = [int(problem.exit_code) for problem in problems if problem.is_error]
    return RunReport(
        command="apply",
        timestamp=timestamp(context),
        exit_code=max(codes, default=int(ExitCode.ERROR)),
        problems=tuple(problems),
        environment=context.environment_name,
    )


def timestamp(context: Context) -> str:
    """Return the time of a report, RFC 3339 in UTC."""
    return utc_text(context.now())


def _busy() -> Problem:
    return Problem(
        code="too-many-writes",
        summary="nothing was changed: too many other changes wait for the inventory",
        hint="wait until they have ended, then plan again",
    )
