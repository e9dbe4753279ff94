"""The schedule of an endpoint: its entries, and what is wrong with them."""

from typing import Any

import pytest

from reconciler.kinds.registry import ENDPOINT
from reconciler.kinds.schedule import schedule_of
from reconciler.model.problem import Place
from reconciler.model.resource import Lifecycle
from reconciler.model.sync.schedule import Schedule
from tests.builders import SPEC, endpoint

DAY = {"cron": "0 8 * * mon-fri", "min": 2, "max": 8, "tz": "Europe/Berlin"}
NIGHT = {"cron": "0 20 * * *", "min": 0, "max": 2}


def place(path: tuple[str, ...]) -> Place:
    """Return a place whose file shows the path."""
    return Place(file=".".join(path), line=1, column=1)


def read(
    *entries: Any, ignored: tuple[str, ...] = (), **declared: Any
) -> tuple[Any, list[tuple[str, str, str]]]:
    """Return the entries, and of each problem its code, place and summary."""
    lifecycle = Lifecycle(ignore=(ignored,) if ignored else ())
    item = {"schedule": list(entries), **declared}
    schedule, problems = schedule_of(item, lifecycle, ENDPOINT.table.scaling, place)
    return schedule, [(one.code, one.place.file, one.summary) for one in problems if one.place]


def test_the_entries_keep_their_order() -> None:
    assert read(DAY, NIGHT) == (
        (
            Schedule(cron="0 8 * * mon-fri", min=2, max=8, tz="Europe/Berlin"),
            Schedule(cron="0 20 * * *", min=0, max=2),
        ),
        [],
    )
    assert endpoint(schedule=[DAY]).schedule == (Schedule(**DAY),)
    assert endpoint(schedule=[DAY]).fields == endpoint().fields


def test_each_fault_has_its_place() -> None:
    _, problems = read(DAY, {"cron": "0 99 * * *", "min": 3, "max": 2, "tz": "Berlin"})

    assert problems == [
        ("bad-cron", "schedule.1.cron", "`schedule[1].cron` has a bad hour"),
        ("bad-time-zone", "schedule.1.tz", "`schedule[1].tz` is not a time zone of IANA"),
        ("min-above-max", "schedule.1.min", "`schedule[1]` has min 3 above max 2"),
    ]


def test_two_entries_with_the_same_times_are_an_error() -> None:
    """However they are written. In another zone they are other times."""
    again = {**DAY, "cron": "0  8 * * MON-FRI", "max": 9}

    _, problems = read(DAY, again, {**again, "tz": "UTC"})

    assert problems == [
        ("duplicate-schedule", "schedule.1.cron", "`schedule[0]` and `schedule[1]` have the same times")
    ]


@pytest.mark.parametrize("path", [("workerConfig", "minNum"), ("workerConfig", "maxNum"), ("workerConfig",)])
def test_ignored_worker_counts_have_no_schedule(path: tuple[str, ...]) -> None:
    _, problems = read(DAY, ignored=path)

    assert [(code, where) for code, where, _ in problems] == [("ignored-schedule", "lifecycle.ignoreChanges")]


def test_another_ignored_field_may_have_one() -> None:
    assert read(DAY, ignored=("envs",))[1] == []


def test_declared_counts_beside_it_have_no_effect() -> None:
    _, problems = read(DAY, replicas=3, minReplicas=1)

    assert problems == [
        ("precedence", "replicas", "`schedule` wins over `replicas`"),
        ("precedence", "minReplicas", "`schedule` wins over `minReplicas`"),
    ]


def test_what_the_schema_refuses_is_not_reported_again() -> None:
    assert read("x", {"cron": "0 8 * * *"}) == ((), [])


def test_the_place_of_scheduled_counts_is_the_schedule() -> None:
    desired, _ = ENDPOINT.from_yaml({"endpoint": "a", "image": "x:1", "schedule": [DAY]}, SPEC, place)

    assert desired is not None
    assert desired.place_of(("workerConfig", "minNum")) == place(("schedule",))
