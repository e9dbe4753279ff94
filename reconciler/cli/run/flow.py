"""The composition of `reconciler run`: the loops, what they tell, and their exit code."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace

from reconciler.cli.output import Output, timestamp
from reconciler.cli.run.files import open_files
from reconciler.cli.run.lines import LAST_LINE, event_line, first_line, policy_in
from reconciler.cli.run.page_server import ListenOptions, PageServer
from reconciler.cli.run.telemetry import Telemetry
from reconciler.controller.clock import SystemClock
from reconciler.controller.events import Event
from reconciler.controller.git.address import GitAddress
from reconciler.controller.git.source import GitSource
from reconciler.controller.loop import Loop, LoopOptions
from reconciler.controller.process import run_loops
from reconciler.controller.state import RoundResult
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.sync.durations import CONTROLLER_LOCK_TIMEOUT
from reconciler.novita.http.client import CallInfo
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import every_environment, in_recorded_environment


def contexts_of(
    context: Context, address: GitAddress | None, chosen: Sequence[str], *, all_environments: bool
) -> tuple[Context, ...]:
    """Return a context for each environment. context: that of the first one, or of none.

    With an address the environments are those of a commit, and each context only has the name of its own.
    Raise InvalidConfig for an environment that is not declared, and SourceError.
    """
    bare = replace(context, dotenv=context.option_variables, missing_env_files=())
    if all_environments:
        if address is None:
            return every_environment(bare)
        with closing(GitSource(address, context.environ)) as source:  # each environment opens one of its own
            found = every_environment(replace(bare, root=source.fetch(source.poll()).root))
        chosen = [one.environment_name for one in found]
    named = [replace(bare, chosen_environment=name) for name in chosen]
    if address is not None:
        return tuple(named) or (context,)
    return (context, *(in_recorded_environment(one, one.chosen_environment) for one in named[1:]))


def run_controller(
    out: Output,
    contexts: Sequence[Context],
    address: GitAddress | None,
    *,
    poll: float,
    interval: float,
    is_once: bool,
    notify: Sequence[str] = (),
    listen: ListenOptions | None = None,
) -> int:
    """Run until a signal, or until nothing is left to be done now with `is_once`. Return the exit code.

    contexts: of each environment. address: of the git repository with the files; None for those of the
    contexts' folder. notify: further variables with targets of notifications. listen: where the page is
    served, None for no page.
    """
    lock, failed, clock = threading.Lock(), threading.Event(), SystemClock()

    def log(line: str) -> None:
        with lock:
            out.line(f"{timestamp()} {line}")

    def report(_loop: Loop, problems: Sequence[Problem]) -> None:
        failed.set()
        with lock:
            out.problems(problems)

    page_server = PageServer(listen, contexts[0].environ, clock) if listen else None
    metrics = page_server.metrics if page_server else None
    with Telemetry(notify, contexts[0].environ, log, metrics) as telemetry:

        def tell(events: Sequence[Event]) -> None:
            telemetry.notify(events)
            for event in events:
                log(event_line(event, contexts[0].options))

        def new_loop(context: Context) -> Loop:
            context = replace(context, lock_timeout=CONTROLLER_LOCK_TIMEOUT, now=clock.now, on_listed=None)
            files = open_files(
                context, address, poll=poll, is_once=is_once, tell=lambda problem: out.problems([problem])
            )
            files.is_shared = len(contexts) > 1
            observer = telemetry.observer(files.context.environment_name)
            files.context = replace(files.context, on_call=_both(context.on_call, observer.call))
            where = str(address or files.context.root.resolve())
            log(first_line(files, where, policy_in(files), poll, interval))
            options = LoopOptions(
                poll=poll,
                interval=interval,
                is_once=is_once,
                notify=tell,
                log=log,
                observer=observer,
                reads_balance=metrics is not None,
                has_hook=bool(listen and listen.hook),
            )
            return Loop(files, clock, options)

        loops = [new_loop(context) for context in contexts]
        with page_server.serve(loops) if page_server else nullcontext() as server:
            if page_server:
                log(f"Serving the page on {page_server.url}")
            run_loops(loops, report, server)
    log(LAST_LINE)
    if any(loop.is_standby for loop in loops):
        return ExitCode.LOCKED
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
