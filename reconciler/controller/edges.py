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

_ENDS: Final = {
    EventKind.DRIFT_FOUND: EventKind.DRIFT_GONE,
    EventKind.REFUSED: EventKind.RECOVERED,
    EventKind.FAILED: EventKind.RECOVERED,
}
"""Events that last, and the event that tells their end. The end of a plan that waits is not told."""

_END_SUMMARIES: Final = {
    EventKind.DRIFT_FOUND: "{} is as it was applied again",
    EventKind.REFUSED: "{} is no longer refused",
    EventKind.FAILED: "{} no longer fails",
}

_OF_THE_PLAN: Final = (EventKind.DRIFT_FOUND, EventKind.REFUSED)
"""Events whose end is not known if there is no plan."""


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
    lasting = {f"{event.kind} {event.subject}": event for event in lasting_events(after, findings, now)}
    events: list[Event] = []
    kept: dict[str, str] = {}
    for key in {**told, **lasting}:
        kind, _, subject = key.partition(" ")
        entry, event = told.get(key, _NOTHING), lasting.get(key)
        is_known = event is not None or (
            kind in _ENDS and (findings.drift is not None or kind not in _OF_THE_PLAN)
        )
        mark = event.fingerprint if event else "" if is_known else entry.mark
        limits = WAITING_LIMITS if kind == EventKind.WAITING else LIMITS
        if mark != entry.mark and entry.may_be_told(now, limits):
            entry = entry.told_at(now, mark)
            told_now = event or _end(EventKind(kind), subject, after, now)
            often = () if entry.may_be_told(now, limits) else (_OFTEN,)
            events.append(replace(told_now, details=(*told_now.details, *often)))
        elif event and mark == entry.mark and entry.seconds_since(now) >= EVENT_REPEAT:
            events.append(replace(event, is_repeated=True))
            entry = entry.told_at(now, mark)
        if event or (entry.mark and kind in _ENDS) or entry.seconds_since(now) < EVENT_REPEAT:
            kept[key] = str(entry)
    events += momentary_events(before, after, findings, now)
    return News(events=tuple(events), told=kept)


def _end(kind: EventKind, subject: str, state: SyncState, now: datetime) -> Event:
    return Event(
        kind=_ENDS[kind],
        environment=state.environment,
        subject=subject,
        at=now,
        summary=_END_SUMMARIES[kind].format(subject),
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
            return _NOTHING

    def __str__(self) -> str:
        return ",".join((self.mark, *(str(int(time.timestamp())) for time in self.times)))

    def told_at(self, now: datetime, mark: str) -> _Told:
        longest = max(count for _, count in (*LIMITS, *WAITING_LIMITS))
        return _Told(mark=mark, times=(*self.times, now)[-longest:])

    def seconds_since(self, now: datetime) -> float:
        """Return the seconds since it was told last; a clock that was set back counts as well."""
        return abs((now - self.times[-1]).total_seconds()) if self.times else EVENT_REPEAT

    def may_be_told(self, now: datetime, limits: Sequence[tuple[int, int]]) -> bool:
        """Return whether it may be told now, after it was told so often."""
        ages = [(now - time).total_seconds() for time in self.times]
        return all(sum(0 <= age < seconds for age in ages) < count for seconds, count in limits)


_NOTHING: Final = _Told()
