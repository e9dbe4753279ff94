"""The proof that an apply had its effect: its endpoints serve, and answer their probes as declared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

from reconciler.apply.clock import Clock
from reconciler.apply.wait_ready import wait_until_serving
from reconciler.model.apply_events import ApplyEvent, ApplyReport
from reconciler.model.command import command_line
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import NoOp
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.settings import Settings
from reconciler.novita.account import AccountReader
from reconciler.workflow.plan import PlanResult
from reconciler.workflow.runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What is verified after an apply.

    wait: the seconds to wait until the endpoints serve, or None. probe: send the declared probes of changed
    endpoints. rollback: roll back an endpoint that fails either of them. Both others need `wait`.
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
) -> tuple[ApplyReport, tuple[Problem, ...]]:
    """Wait until the endpoints of an apply serve, and probe them. Return its report and the problems."""
    if verification.wait is None:
        return report, ()
    problems = wait_until_serving(
        report.results,
        account,
        clock,
        emit,
        within=verification.wait,
        every=settings.poll_interval,
        stop=stop,
    )
    if not verification.probe or stop.is_set():
        return with_unproven(report, problems), problems
    from reconciler.workflow.probe import probe_changed

    failed = (problem.address for problem in problems)
    results, more = probe_changed(context, settings, account, report.results, failed, emit, stop)
    problems = (*problems, *more)
    return with_unproven(replace(report, results=results), problems), problems


def with_unsent_probes(planned: PlanResult) -> PlanResult:
    """Return the plan with a note that names the unchanged endpoints, whose probes are not sent.

    An earlier run that was killed, or whose probe failed, has applied them without a proof.
    """
    names = [one.name for one in planned.plan.changes if isinstance(one, NoOp) and one.desired.probe]
    if not names:
        return planned
    note = Problem(
        code="probes-not-sent",
        severity=Severity.NOTE,
        summary="the probes of unchanged endpoints are not sent, so this apply does not prove them",
        detail=", ".join(sorted(names)),
        hint=f"`{command_line('reconciler', 'probe')}` sends them",
    )
    return planned.with_problems((note,))


def with_unproven(report: ApplyReport, problems: Iterable[Problem]) -> ApplyReport:
    """Return the report with the endpoints of which a problem says that they do not serve."""
    failed = (one.address for one in problems if one.exit_code == ExitCode.INCOMPLETE and one.address)
    return replace(report, unproven=frozenset(failed))
