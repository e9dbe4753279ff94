"""The events to tell after a round: what begins, what ends, and what still lasts a day later.

What was told is kept in the state of the controller, so that a new leader does not tell it again. Something
that comes and goes is told a few times, and then at most as often as LIMITS allows: always its latest state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from reconciler.controller.events import Event, EventKind
from reconciler.controller.round_events import Findings, lasting_events, momentary_events
from reconciler.controller.state import SyncState
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.sync.durations import EVENT_REPEAT

LIMITS: Final = ((3600, 3), (86400, 6))
"""Seconds, and how often (count) the same subject is told in them."""

WAITING_LIMITS: Final = ((3600, 12),)
"""The same for a plan that waits: each is another one, which somebody has to read."""

_OFTEN: Final = "it changes often, so that its next changes are told with a delay"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """How a kind of event that lasts is told.

    end: the event that tells its end, None to tell no end. limits: how often it is told. needs_plan: its end
    is not known without a plan. is_lasting: False to tell neither the first one nor one that is a day old.
    """

    end: EventKind | None = None
    end_summary: str = ""
    limits: Sequence[tuple[int, int]] = LIMITS
    needs_plan: bool = False
    is_lasting: bool = True


_RULES: Final = {
    EventKind.DRIFT_FOUND: _Rule(
        end=EventKind.DRIFT_GONE, end_summary="{} is as it was applied again", needs_plan=True
    ),
    EventKind.REFUSED: _Rule(end=EventKind.RECOVERED, end_summary="{} is no longer refused", needs_plan=True),
    EventKind.FAILED: _Rule(end=EventKind.RECOVERED, end_summary="{} no longer fails"),
    EventKind.WAITING: _Rule(limits=WAITING_LIMITS),
    EventKind.LEADER_CHANGED: _Rule(is_lasting=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """events: to tell now. told: what was told, for `SyncState.told`."""

    events: tuple[Event, ...]
    told: Mapping[str, str]


def news(before: SyncState | None, after: SyncState, findings: Findings, now: datetime) -> News:
    """Return the events of a round.

    before: the last state, also that of another leader; None if none is known. Its `told` counts; that of
    `after` does not. now: in UTC.
    """
    told = {key: _Told.parse(text) for key, text in (before.told if before else {}).items()}
    lasting = {_key(event): event for event in lasting_events(after, findings, now)}
    events: list[Event] = []
    kept: dict[str, str] = {}
    for key in {**told, **lasting}:
        kind, _, subject = key.partition(" ")
        if kind not in _RULES:
            continue  # of another version
        rule, event = _RULES[EventKind(kind)], lasting.get(key)
        entry = told.get(key, _Told(mark="" if rule.is_lasting or event is None else event.fingerprint))
        has_ended = event is None and rule.end and (findings.drift is not None or not rule.needs_plan)
        mark = event.fingerprint if event else "" if has_ended else entry.mark
        if mark != entry.mark and entry.may_be_told(now, rule.limits):
            entry = entry.told_at(now, mark)
            news_now = event or _end(rule, subject, after, now)
            often = () if entry.may_be_told(now, rule.limits) else (_OFTEN,)
            events.append(replace(news_now, details=(*news_now.details, *often)))
        elif event and rule.is_lasting and mark == entry.mark and entry.is_old(now):
            entry = entry.told_at(now, mark)
            events.append(replace(event, is_repeated=True))
        if event or (entry.mark and rule.end) or not entry.is_old(now):
            kept[key] = str(entry)
    events += momentary_events(after, findings, now)
    return News(events=tuple(events), told=kept)


def _key(event: Event) -> str:
    return f"{event.kind} {event.subject}"


def _end(rule: _Rule, subject: str, state: SyncState, now: datetime) -> Event:
    assert rule.end is not None
    return Event(
        kind=rule.end,
        environment=state.environment,
        subject=subject,
        at=now,
        summary=rule.end_summary.format(subject),
        revision=state.revision,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What was told about one subject. mark: the fingerprint, "" for the end. times: when, in UTC."""

    mark: str = ""
    times: tuple[datetime, ...] = ()

    @classmethod
    def parse(cls, text: str) -> _Told:
        """Return what `str` of another gave. A text that is not readable counts as nothing."""
        mark, *times = text.split(",")
        try:
            return cls(mark=mark, times=tuple(datetime.fromtimestamp(int(time), UTC) for time in times))
        except (ValueError, OverflowError, OSError):
            return cls()

    def __str__(self) -> str:
        return ",".join((self.mark, *(str(int(time.timestamp())) for time in self.times)))

    def told_at(self, now: datetime, mark: str) -> _Told:
        longest = max(count for _, count in (*LIMITS, *WAITING_LIMITS))
        return _Told(mark=mark, times=(*self.times, now)[-longest:])

    def is_old(self, now: datetime) -> bool:
        """Return whether it was told a day ago or never. A clock that was set back a day counts as well."""
        return not self.times or abs((now - self.times[-1]).total_seconds()) >= EVENT_REPEAT

    def may_be_told(self, now: datetime, limits: Sequence[tuple[int, int]]) -> bool:
        """Return whether it may be told now, after it was told so often."""
        ages = [(now - time).total_seconds() for time in self.times]
        return all(sum(0 <= age < seconds for age in ages) < count for seconds, count in limits)
