"""The findings of a round, as events. Their texts have no secrets: values are shown as reports show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import datetime
from hashlib import sha256
from typing import Final

from reconciler.controller.events import Event, EventKind
from reconciler.controller.state import SyncState
from reconciler.model.apply_events import ChangeResult, Outcome
from reconciler.model.drift import Alarm, DriftReport, DriftState
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.text import quantity
from reconciler.reports.run.summary import value_change
from reconciler.reports.terminal.escape import plain
from reconciler.reports.terminal.values import field_name

PLAN: Final = "plan"
SOURCE: Final = "source"
ACCOUNT: Final = "account"
LEADER: Final = "leader"
"""Subjects of events that are not about one resource."""

MAX_LINE: Final = 300
"""Characters of a line of an event. A value of a field may have megabytes."""

REVISION: Final = 12
"""Characters of a revision in a text."""

MAX_LINES: Final = 20
"""Lines of the details of an event."""

_PAST: Final = {
    "create": "created",
    "update": "updated",
    "scale": "scaled",
    "replace": "replaced",
    "delete": "deleted",
    "adopt": "adopted",
    "forget": "forgotten",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a round found beside the state that it wrote.

    drift: None if there is no plan, so that nothing is known about drift. applied: the changes of this round.
    refused: why a guard or a check stops the plan, by subject, as long as it does; without a plan it is not
    known. failed: what failed last, by the address of a resource or another subject, until it succeeds.
    """

    drift: DriftReport | None = None
    applied: tuple[ChangeResult, ...] = ()
    refused: Mapping[str, Problem] = field(default_factory=dict)
    failed: Mapping[str, Problem] = field(default_factory=dict)


def lasting_events(state: SyncState, findings: Findings, now: datetime) -> Iterator[Event]:
    """Yield an event for all that lasts at this time, told or not."""
    about = _About(state, now)
    for alarm in findings.drift.alarms if findings.drift else ():
        if alarm.has_new_drift:
            yield _drift(about, alarm)
    if state.waiting:
        waiting = state.waiting
        yield about.event(
            EventKind.WAITING,
            PLAN,
            f"A plan waits for an approval: {waiting.summary}",
            fingerprint=waiting.digest,
            digest=waiting.digest,
        )
    if state.rejected:
        yield _rejection(about, state, findings.refused.get(SOURCE))
    for subject, problem in findings.refused.items():
        if subject != SOURCE:
            mark = f"{problem.code} {problem.summary}"
            yield _problem(about, EventKind.REFUSED, subject, problem, mark)
    now_failed = {one.change.address: one.problem for one in findings.applied if one.problem}
    for subject, kept in findings.failed.items():
        problem = now_failed.get(subject, kept)  # with what the server said, which is not kept
        yield _problem(about, EventKind.FAILED, subject, problem, problem.code)
    if state.leader:
        yield about.event(
            EventKind.LEADER_CHANGED, LEADER, f"{state.leader} acts now", fingerprint=state.leader
        )


def momentary_events(state: SyncState, findings: Findings, now: datetime) -> Iterator[Event]:
    """Yield an event for all that happened in this round."""
    about = _About(state, now)
    done = [result for result in findings.applied if result.outcome is Outcome.DONE]
    if done:
        yield about.event(
            EventKind.APPLIED,
            PLAN,
            f"{quantity(len(done), 'change')} {'was' if len(done) == 1 else 'were'} applied",
            *(f"{_PAST.get(one.change.action, one.change.action)} {one.change.address}" for one in done),
        )


class _About:
    """The common part of the events of a round."""

    def __init__(self, state: SyncState, now: datetime) -> None:
        self._state = state
        self._now = now

    def event(
        self,
        kind: EventKind,
        subject: str,
        summary: str,
        *details: str,
        fingerprint: str = "",
        digest: str = "",
    ) -> Event:
        """Return an event. fingerprint: any text that changes with the news."""
        return Event(
            kind=kind,
            environment=self._state.environment,
            subject=subject,
            at=self._now,
            summary=_line(summary),
            details=_lines(details),
            fingerprint=sha256(fingerprint.encode()).hexdigest()[:16],
            revision=self._state.revision,
            digest=digest,
        )


def _drift(about: _About, alarm: Alarm) -> Event:
    items = [item for item in alarm.items if item.state is DriftState.NEW]
    address = alarm.drift.address
    if alarm.drift.live is None:
        summary = f"{address} was deleted outside of reconciler"
    else:
        summary = f"{address} was changed outside of reconciler"
    details = [f"{field_name(item.field)}: {value_change(item.field)}" for item in items if item.field]
    marks = " ".join(sorted(item.fingerprint for item in items))
    return about.event(EventKind.DRIFT_FOUND, address, summary, *details, fingerprint=marks)


def _rejection(about: _About, state: SyncState, problem: Problem | None) -> Event:
    """Return the event of a revision that is not valid. problem: the first one in it, if known."""
    summary = f"revision {state.rejected[:REVISION]} is not valid"
    if state.revision:
        summary += f", so {state.revision[:REVISION]} stays in force"
    details: list[str] = []
    if problem is not None:
        place = f"{problem.place}: " if problem.place else ""
        details = [f"{place}{problem.summary}", *problem.detail.splitlines(), *problem.hint.splitlines()]
    return about.event(EventKind.REFUSED, SOURCE, summary, *details, fingerprint=state.rejected)


def _problem(about: _About, kind: EventKind, subject: str, problem: Problem, mark: str) -> Event:
    where = str(problem.place or subject)
    summary = problem.summary if where in problem.summary else f"{where}: {problem.summary}"
    details = [*problem.detail.splitlines(), *problem.hint.splitlines()]
    return about.event(kind, subject, summary, *details, fingerprint=mark)


def _line(text: str) -> str:
    text = plain(text)
    return text if len(text) <= MAX_LINE else f"{text[: MAX_LINE - 3]}..."


def _lines(texts: tuple[str, ...]) -> tuple[str, ...]:
    lines = [_line(text) for text in texts if text.strip()]
    if len(lines) <= MAX_LINES:
        return tuple(lines)
    return (*lines[: MAX_LINES - 1], f"and {len(lines) - MAX_LINES + 1:,} more")
