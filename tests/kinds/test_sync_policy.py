"""The section `sync`: its values, and what is wrong with them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.kinds import sync_policy
from reconciler.kinds.sync_policy import sync_of
from reconciler.model.problem import Place
from reconciler.model.sync.policy import ApplyPolicy, DriftPolicy, Window, WindowKind

ALLOW = {"kind": "allow", "cron": "0 8 * * mon-fri", "duration": "90m"}


def place(path: tuple[str, ...]) -> Place:
    """Return a place whose file shows the path."""
    return Place(file=".".join(path), line=1, column=1)


def read(**declared: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return the policy, and where each problem is with its summary."""
    policy, problems = sync_of(declared, place)
    return policy, [(one.place.file, one.summary) for one in problems if one.place]


def test_what_is_not_declared_is_not_in_the_policy() -> None:
    assert read() == ({}, [])
    assert read(drift=None, apply=None, prune=None, windows=None, suspendUntil=None) == ({}, [])


def test_each_key_is_read() -> None:
    windows = [ALLOW, {"kind": "deny", "cron": "0 0 24 12 *", "duration": "3d", "tz": "Europe/Berlin"}]

    policy, problems = read(
        drift="accept-scale",
        apply="auto",
        prune=False,
        windows=windows,
        suspendUntil="2030-01-07T09:00:00+01:00",
    )

    assert problems == []
    assert policy == {
        "drift": DriftPolicy.ACCEPT_SCALE,
        "apply": ApplyPolicy.AUTO,
        "prune": False,
        "windows": (
            Window(kind=WindowKind.ALLOW, cron="0 8 * * mon-fri", seconds=5400.0),
            Window(kind=WindowKind.DENY, cron="0 0 24 12 *", seconds=259200.0, tz="Europe/Berlin"),
        ),
        "suspend_until": datetime(2030, 1, 7, 8, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    "text", ["2030-01-07", "tomorrow", "0001-01-01T00:00:00+05:00", "2030-13-01T00:00:00Z"]
)
def test_the_end_of_a_suspension_is_a_date_and_a_time(text: str) -> None:
    _, problems = read(suspendUntil=text)

    assert problems == [("suspendUntil", f"`sync.suspendUntil` must be a date and a time, and {text} is not")]


def test_a_time_without_an_offset_is_in_utc() -> None:
    assert read(suspendUntil="2030-01-07 08:00")[0] == {"suspend_until": datetime(2030, 1, 7, 8, tzinfo=UTC)}


def test_each_fault_of_a_window_has_its_place() -> None:
    policy, problems = read(windows=[ALLOW, {**ALLOW, "cron": "0 99 * * *", "tz": "Berlin"}])

    assert len(policy["windows"]) == 1
    assert problems == [
        ("windows.1.cron", "`sync.windows[1].cron` has a bad hour"),
        ("windows.1.tz", "`sync.windows[1].tz` is not a time zone of IANA"),
    ]


def test_what_the_schema_refuses_is_not_reported_again() -> None:
    assert read(windows=["x", {"kind": "allow"}, {**ALLOW, "duration": "8 h"}]) == ({"windows": ()}, [])


def test_without_time_zones_the_hint_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sync_policy, "zone_fault", lambda _name: "cannot be read: this machine has no time zones"
    )

    _, problems = sync_of({"windows": [ALLOW]}, place)

    assert [one.hint for one in problems] == ["python -m pip install tzdata   installs the time zones"]
