"""The composition of `reconciler run`: the loops, what they tell, and their exit code."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from reconciler.cli.output import Output, timestamp
from reconciler.cli.run.files import open_files
from reconciler.cli.run.telemetry import Telemetry
from reconciler.controller.clock import SystemClock
from reconciler.controller.git.address import GitAddress
from reconciler.controller.loop import Loop, LoopOptions
from reconciler.controller.process import run_loops
from reconciler.controller.state import RoundResult
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.sync.durations import CONTROLLER_LOCK_TIMEOUT
from reconciler.novita.http.client import CallInfo
from reconciler.workflow.runtime.context import Context


def run_controller(
    out: Output,
    context: Context,
    address: GitAddress | None,
    *,
    poll: float,
    interval: float,
    is_once: bool,
    notify: Sequence[str] = (),
) -> int:
    """Run until a signal, or until nothing is left to be done now with `is_once`. Return the exit code.

    address: of the git repository with the files; None for those of the context's folder. notify: further
    variables with targets of notifications.
    """
    lock, failed = threading.Lock(), threading.Event()

    def log(line: str) -> None:
        with lock:
            out.line(f"{timestamp()} {line}")

    def report(_loop: Loop, problems: Sequence[Problem]) -> None:
        failed.set()
        with lock:
            out.problems(problems)

    clock = SystemClock()
    context = replace(
        context,
        lock_timeout=CONTROLLER_LOCK_TIMEOUT,
        now=clock.now,
        on_listed=None,
    )
    with Telemetry(notify, context.environ, log) as telemetry:
        files = open_files(
            context, address, poll=poll, is_once=is_once, tell=lambda problem: out.problems([problem])
        )
        observer = telemetry.observer(files.context.environment_name)
        files.context = replace(files.context, on_call=_both(context.on_call, observer.call))
        options = LoopOptions(
            poll=poll,
            interval=interval,
            is_once=is_once,
            notify=telemetry.notify,
            log=log,
            observer=observer,
        )
        loops = [Loop(files, clock, options)]
        run_loops(loops, report)
    results = {loop.state.result for loop in loops}
    if failed.is_set() or (is_once and RoundResult.ERROR in results):
        return ExitCode.ERROR
    return ExitCode.GUARD if is_once and RoundResult.REFUSED in results else ExitCode.OK


def _both(
    first: Callable[[CallInfo], None] | None, second: Callable[[CallInfo], None]
) -> Callable[[CallInfo], None]:
    """Return a function that calls both."""
    if first is None:
        return second

    def call(info: CallInfo) -> None:
        first(info)
        second(info)

    return call
