"""Times that recur: those of cron expressions in time zones."""

from datetime import UTC, datetime

import pytest

from reconciler.model.sync import cron
from reconciler.model.sync.cron import cron_fault, last_time, next_time, zone_fault

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    """Return a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("0 8 * * mon-fri", ""),
        ("*/15 8-20 1,15 jan-mar *", ""),
        ("0 8 L * *", ""),
        ("0 8 * * 1#2", ""),
        ("0 0 29 2 *", ""),
        ("", "has 0 fields, not five: minute, hour, day of month, month, day of week"),
        ("@daily", "has 1 fields, not five: minute, hour, day of month, month, day of week"),
        ("0 0 8 * * mon", "has 6 fields, not five: minute, hour, day of month, month, day of week"),
        ("61 * * * *", "has a bad minute"),
        ("R 8 * * *", "has a bad minute"),
        ("*/0 * * * *", "has a bad minute"),
        ("0 24 * * *", "has a bad hour"),
        ("0 0 30 2 *", "has a bad day-of-month"),
        ("0 0 31 4,6 *", "has a bad day-of-month"),
        ("0 8 * * tog", "has a bad day-of-week"),
    ],
)
def test_what_is_no_cron_expression_says_why(text: str, fault: str) -> None:
    assert cron_fault(text) == fault


def test_the_last_time_may_be_now_and_the_next_time_is_later() -> None:
    now = at("2027-03-29T06:00:00")  # 08:00 in Berlin, a Monday

    assert last_time("0 8 * * mon-fri", BERLIN, now) == now
    assert next_time("0 8 * * mon-fri", BERLIN, now) == at("2027-03-30T06:00:00")
    assert last_time("0 8 * * mon-fri", BERLIN, at("2027-03-29T05:59:59")) == at("2027-03-26T07:00:00")


def test_a_time_in_the_hour_that_is_left_out_comes_right_after_it() -> None:
    """On 2027-03-28 in Berlin, 03:00 follows 01:59."""
    assert next_time("30 2 * * *", BERLIN, at("2027-03-27T12:00:00")) == at("2027-03-28T01:00:00")
    assert last_time("30 2 * * *", BERLIN, at("2027-03-28T12:00:00")) == at("2027-03-28T01:00:00")


def test_a_time_in_the_hour_that_comes_twice_counts_once() -> None:
    """On 2027-10-31 in Berlin, 02:30 is at 00:30 and at 01:30 in UTC."""
    assert next_time("30 2 * * *", BERLIN, at("2027-10-30T12:00:00")) == at("2027-10-31T00:30:00")
    assert next_time("30 2 * * *", BERLIN, at("2027-10-31T00:30:00")) == at("2027-11-01T01:30:00")
    assert last_time("30 2 * * *", BERLIN, at("2027-10-31T12:00:00")) == at("2027-10-31T00:30:00")


def test_the_times_of_a_day_agree_in_both_directions() -> None:
    """From each time, the one before the next is the time itself, also across both changes of the clock."""
    for start in ("2027-03-27T00:00:00", "2027-10-30T00:00:00"):
        when = at(start)
        for _ in range(60):
            following = next_time("*/45 * * * *", BERLIN, when)
            assert following > when
            assert last_time("*/45 * * * *", BERLIN, following) == following
            when = following


@pytest.mark.parametrize(
    "name", ["Berlin", "Europe", "../etc/passwd", "/etc/localtime", "", "Europe/Berlin\n"]
)
def test_what_is_no_time_zone_says_so(name: str) -> None:
    assert zone_fault(name) == "is not a time zone of IANA"
    with pytest.raises(ValueError, match="is not a time zone"):
        next_time("0 8 * * *", name, at("2027-03-29T06:00:00"))


def test_a_machine_without_time_zones_still_knows_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a small container."""
    import zoneinfo

    def missing(name: str) -> None:
        raise zoneinfo.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(zoneinfo, "ZoneInfo", missing)
    cron._zone.cache_clear()
    try:
        assert zone_fault("UTC") == ""
        assert zone_fault(BERLIN) == "cannot be read: this machine has no time zones"
    finally:
        cron._zone.cache_clear()
