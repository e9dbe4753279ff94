"""Windows: when changes may be made."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.model.sync.policy import DEFAULT_SYNC, SyncPolicy, Window, WindowKind
from reconciler.planning.sync.windows import Closed, closed, next_opening_or_closing

HOUR = 3600.0
WORK = Window(kind=WindowKind.ALLOW, cron="0 8 * * mon-fri", seconds=9 * HOUR, tz="Europe/Berlin")
LUNCH = Window(kind=WindowKind.DENY, cron="0 12 * * *", seconds=HOUR, tz="Europe/Berlin")


def berlin(text: str) -> datetime:
    """Return a time of January 2027 in Berlin, which is an hour ahead of UTC."""
    return datetime.fromisoformat(f"2027-01-{text}:00+01:00").astimezone(UTC)


def policy(*windows: Window, until: datetime | None = None) -> SyncPolicy:
    return SyncPolicy(windows=windows, suspend_until=until)


def test_without_windows_changes_may_always_be_made() -> None:
    assert closed(DEFAULT_SYNC, berlin("06T03:00")) is None
    assert next_opening_or_closing(DEFAULT_SYNC, berlin("06T03:00")) is None


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("06T07:59", "outside of the allow windows until 2027-01-06 07:00Z"),
        ("06T08:00", ""),
        ("06T16:59", ""),
        ("06T17:00", "outside of the allow windows until 2027-01-07 07:00Z"),
        ("08T18:00", "outside of the allow windows until 2027-01-11 07:00Z"),  # from Friday to Monday
        ("06T12:00", "in a deny window until 2027-01-06 12:00Z"),
        ("06T12:59", "in a deny window until 2027-01-06 12:00Z"),
        ("06T13:00", ""),
        ("09T12:30", "in a deny window until 2027-01-11 07:00Z"),  # on Saturday no window opens after it
    ],
)
def test_a_deny_window_wins_over_an_allow_window(now: str, expected: str) -> None:
    found = closed(policy(WORK, LUNCH), berlin(now))

    assert (found.reason if found else "") == expected


def test_a_suspension_ends_at_its_time() -> None:
    suspended = policy(until=berlin("06T12:00"))

    assert closed(suspended, berlin("06T11:59")) == Closed(
        reason="suspended until 2027-01-06 11:00Z", until=berlin("06T12:00")
    )
    assert closed(suspended, berlin("06T12:00")) is None
    assert next_opening_or_closing(suspended, berlin("06T11:59")) == berlin("06T12:00")
    assert next_opening_or_closing(suspended, berlin("06T12:00")) is None


def test_a_suspension_may_end_in_a_closed_window() -> None:
    found = closed(policy(WORK, until=berlin("09T12:00")), berlin("06T09:00"))

    assert found == Closed(reason="suspended until 2027-01-11 07:00Z", until=berlin("11T08:00"))


def test_windows_without_a_gap_never_end() -> None:
    always = Window(kind=WindowKind.DENY, cron="0 * * * *", seconds=2 * HOUR)

    assert closed(policy(always), berlin("06T09:00")) == Closed(reason="in a deny window", until=None)


def test_each_opening_and_closing_is_named() -> None:
    now, times = berlin("08T00:00"), []
    for _ in range(6):
        following = next_opening_or_closing(policy(WORK, LUNCH), now)
        assert following is not None
        times.append(f"{following + timedelta(hours=1):%dT%H:%M}")
        now = following

    assert times == ["08T08:00", "08T12:00", "08T13:00", "08T17:00", "09T12:00", "09T13:00"]


def test_a_window_lasts_as_long_when_the_clock_changes() -> None:
    """On 2027-03-28 in Berlin, 03:00 follows 01:59: eight hours from 22:00 end at 07:00."""
    night = policy(Window(kind=WindowKind.DENY, cron="0 22 * * *", seconds=8 * HOUR, tz="Europe/Berlin"))
    start = datetime(2027, 3, 27, 21, tzinfo=UTC)

    assert closed(night, start + timedelta(hours=7, minutes=59)) is not None
    assert closed(night, start + timedelta(hours=8)) is None
