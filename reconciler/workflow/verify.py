"""The proof that an apply had its effect: its endpoints serve, and answer their probes as declared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from reconciler.apply.clock import Clock
from reconciler.model.apply_events import ApplyEvent, ApplyReport
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.settings import Settings
from reconciler.novita.account import AccountReader
from reconciler.workflow.runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What is verified after an apply.

    wait: the seconds to wait until the endpoints serve, or None. probe: send the declared probes of changed
    and of unproved endpoints. rollback: roll back an endpoint that fails either of them. Both others need
    `wait`.
    """

    wait: float | None = None
    probe: bool = False
    rollback: bool = False


NOTHING = Verification()
"""Verify nothing."""


def verify(
    context: Context,
    settings: Settings,
    account: AccountReader,
    report: ApplyReport,
    verification: Verification,
    clock: Clock,
    emit: Callable[[ApplyEvent], None],
    stop: threading.Event,
    former: Mapping[str, Collection[str]],
) -> tuple[ApplyReport, tuple[Problem, ...]]:
    """Wait until the endpoints of an apply serve, and probe them. Return its report and the problems.

    `former` are the workers of `wait_until_serving`.
    """
    if verification.wait is None:
        return report, ()
    from reconciler.apply.wait_ready import wait_until_serving

    problems = wait_until_serving(
        report.results,
        account,
        clock,
        emit,
        within=verification.wait,
        every=settings.poll_interval,
        stop=stop,
        former=former,
    )
    if not verification.probe or stop.is_set():
        return with_unproven(report, problems), problems
    from reconciler.workflow.probe import probe_changed

    failed = (problem.address for problem in problems)
    results, more = probe_changed(context, settings, account, report.results, failed, emit, stop)
    problems = (*problems, *more)
    return with_unproven(replace(report, results=results), problems), problems


def with_unproven(report: ApplyReport, problems: Iterable[Problem]) -> ApplyReport:
    """Return the report with the endpoints of which a problem says that they do not serve."""
    failed = (one.address for one in problems if one.exit_code == ExitCode.INCOMPLETE and one.address)
    return replace(report, unproven=frozenset(failed))
