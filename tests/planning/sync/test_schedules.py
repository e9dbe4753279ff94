"""Schedules: the worker counts at a time, when they change, and what is a change by time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.model.plan import Cause, NoOp, Scale, Update
from reconciler.model.resource import Desired, Inventory, Tracked
from reconciler.model.sync.lease import Lease
from reconciler.model.sync.policy import DEFAULT_SYNC, Window, WindowKind
from reconciler.model.sync.schedule import Schedule, ScheduledCounts
from reconciler.planning.drift import without_config_changes
from reconciler.planning.leases import apply_leases
from reconciler.planning.records import applied_record
from reconciler.planning.selection import Selection
from reconciler.planning.sync.schedules import (
    apply_schedules,
    declared_counts,
    next_change,
    recorded_counts,
    scheduled_counts,
    with_schedule,
)
from tests.builders import KEYRING, change, endpoint, inventory, live, tracked

DAY = Schedule(cron="0 8 * * mon-fri", min=2, max=8, tz="Europe/Berlin")
NIGHT = Schedule(cron="0 20 * * *", min=0, max=2, tz="Europe/Berlin")
ENTRIES = (DAY, NIGHT)
TEXT = "0 8 * * mon-fri Europe/Berlin 2-8; 0 20 * * * Europe/Berlin 0-2"


def berlin(text: str) -> datetime:
    """Return a time of January 2027 in Berlin, which is an hour ahead of UTC."""
    return datetime.fromisoformat(f"2027-01-{text}:00+01:00").astimezone(UTC)


ID = tracked().id
NOON, EVENING = berlin("06T12:00"), berlin("06T21:00")


def scheduled(*entries: Schedule, name: str = "base-test") -> Desired:
    return replace(endpoint(name), schedule=entries or ENTRIES)


def recorded(now: datetime, *entries: Schedule) -> Tracked:
    """Return the record of an apply at a time."""
    return applied_record(with_schedule(scheduled(*entries), now), ID, KEYRING)


@pytest.mark.parametrize(
    ("now", "low", "high", "until"),
    [
        ("06T07:59", 0, 2, "06T08:00"),
        ("06T08:00", 2, 8, "06T20:00"),
        ("06T19:59", 2, 8, "06T20:00"),
        ("06T20:00", 0, 2, "07T08:00"),
        ("09T12:00", 0, 2, "11T08:00"),  # on Saturday and Sunday 20:00 comes, and changes nothing
    ],
)
def test_the_entry_whose_last_time_is_the_latest_applies(now: str, low: int, high: int, until: str) -> None:
    assert scheduled_counts(ENTRIES, berlin(now)) == ScheduledCounts(min=low, max=high, until=berlin(until))


def test_of_two_entries_at_the_same_time_the_later_one_applies() -> None:
    daily = Schedule(cron="0 8 * * *", min=2, max=8)
    saturday = Schedule(cron="0 8 * * sat", min=1, max=1)
    eight = datetime(2027, 1, 9, 8, tzinfo=UTC)  # a Saturday

    assert scheduled_counts((daily, saturday), eight) == ScheduledCounts(
        min=1, max=1, until=eight + timedelta(days=1)
    )
    assert scheduled_counts((saturday, daily), eight) == ScheduledCounts(min=2, max=8, until=None)


def test_without_a_schedule_nothing_is_changed() -> None:
    declared = (endpoint(), endpoint("other"))

    assert scheduled_counts((), NOON) is None
    assert apply_schedules(declared, Inventory(), NOON) == (declared, ())
    assert with_schedule(declared[0], NOON) is declared[0]
    assert next_change(declared, Inventory(), DEFAULT_SYNC, NOON) is None


def test_its_counts_are_wanted_and_a_note_says_until_when() -> None:
    (wanted,), (note,) = apply_schedules([scheduled()], Inventory(), NOON)

    assert (wanted.fields["workerConfig"]["minNum"], wanted.fields["workerConfig"]["maxNum"]) == (2, 8)
    assert wanted.declared_counts == TEXT
    assert (note.code, note.severity.value, note.address) == ("schedule", "note", "novita_endpoint.base-test")
    assert note.summary == "`base-test` has 2 to 8 workers by its schedule until 2027-01-06 19:00Z"


def test_a_schedule_of_one_entry_has_no_end() -> None:
    _, (note,) = apply_schedules([scheduled(NIGHT)], Inventory(), NOON)

    assert note.summary == "`base-test` has 0 to 2 workers by its schedule"


def test_many_schedules_have_one_note() -> None:
    many = [scheduled(name=f"e-{number}") for number in range(11)]
    constant = [scheduled(NIGHT, name=f"e-{number}") for number in range(11)]

    _, (note,) = apply_schedules(many, Inventory(), NOON)
    _, (other,) = apply_schedules(constant, Inventory(), NOON)

    assert note.summary == (
        "11 endpoints have the worker counts of their schedules; the next change is at 2027-01-06 19:00Z"
    )
    assert other.summary == "11 endpoints have the worker counts of their schedules"


def test_notes_are_about_what_was_selected() -> None:
    wanted, notes = apply_schedules([scheduled()], Inventory(), NOON, Selection(targets=("other",)))

    assert wanted == (with_schedule(scheduled(), NOON),)
    assert notes == ()


def test_a_lease_wins_and_its_end_brings_back_the_counts_of_the_schedule() -> None:
    lease = Lease(min=5, max=5, until=EVENING, why="launch day")
    records = inventory(replace(recorded(NOON), lease=lease))

    kept, notes = apply_schedules([scheduled()], records, NOON)
    (leased,), (running,) = apply_leases(kept, records, [], NOON)
    (after,), (over,) = apply_leases(
        apply_schedules([scheduled()], records, EVENING)[0], records, [], EVENING
    )

    assert notes == ()
    assert (leased.fields["workerConfig"]["maxNum"], leased.declared_counts) == (5, TEXT)
    assert running.code == "lease"
    assert (after.fields["workerConfig"]["maxNum"], after.lease) == (2, None)
    assert (
        over.summary == "the lease of `base-test` ended 2027-01-06 20:00Z; the scheduled counts apply again"
    )


def test_a_change_by_time_has_its_own_cause() -> None:
    found = change(with_schedule(scheduled(), EVENING), recorded(NOON), live(minReplicas=2, maxReplicas=8))

    assert isinstance(found, Scale)
    assert [(one.before, one.after, one.cause) for one in found.fields] == [
        (2, 0, Cause.TIME),
        (8, 2, Cause.TIME),
    ]
    assert found.reason == "due by its schedule"


def test_a_change_by_time_wins_over_what_others_changed_before_it() -> None:
    """The schedule was approved, and the account is not where it was left."""
    found = change(with_schedule(scheduled(), EVENING), recorded(NOON), live(minReplicas=4, maxReplicas=8))

    assert {one.cause for one in found.fields} == {Cause.TIME}


def test_what_others_change_between_two_times_is_drift() -> None:
    wanted, moved = with_schedule(scheduled(), NOON), live(minReplicas=4, maxReplicas=8)
    found = change(wanted, recorded(NOON), moved)

    assert [(one.after, one.cause) for one in found.fields] == [(2, Cause.DRIFT)]
    assert without_config_changes(wanted, found) == wanted


def test_a_change_of_the_schedule_is_one_of_the_yaml() -> None:
    """It is so also when it has its first effect later, until an apply has recorded it."""
    edited = (DAY, replace(NIGHT, max=1))
    at_noon = change(
        with_schedule(scheduled(*edited), NOON), recorded(NOON), live(minReplicas=2, maxReplicas=8)
    )
    later = change(
        with_schedule(scheduled(*edited), EVENING), recorded(NOON), live(minReplicas=2, maxReplicas=8)
    )

    assert isinstance(at_noon, NoOp)
    assert at_noon.is_stale
    assert {one.cause for one in later.fields} == {Cause.CONFIG}


def test_a_new_schedule_and_one_that_is_gone_are_changes_of_the_yaml() -> None:
    before = applied_record(endpoint(), ID, KEYRING)
    new = change(with_schedule(scheduled(), NOON), before, live())
    gone = change(endpoint(), recorded(NOON), live(minReplicas=2, maxReplicas=8))

    assert {one.cause for one in (*new.fields, *gone.fields)} == {Cause.CONFIG}


def test_other_fields_of_a_change_by_time_keep_their_cause() -> None:
    wanted = with_schedule(replace(endpoint(image="new:1"), schedule=ENTRIES), EVENING)
    found = change(wanted, recorded(NOON), live(minReplicas=2, maxReplicas=8))

    assert isinstance(found, Update)
    assert {one.path[-1]: one.cause.value for one in found.fields} == {
        "minNum": "time",
        "maxNum": "time",
        "image": "config",
    }


def test_a_lease_of_declared_counts_ends_by_time() -> None:
    lease = Lease(min=5, max=5, until=EVENING, why="launch day")
    before = replace(applied_record(endpoint(), ID, KEYRING), lease=lease)
    (leased,), _ = apply_leases([endpoint()], inventory(before), [], NOON)
    record = applied_record(leased, ID, KEYRING)

    assert record.declared_counts == "1-1"
    found = change(endpoint(), record, live(replicas=5))
    assert (found.reason, {one.cause for one in found.fields}) == ("its lease has ended", {Cause.TIME})
    edited = change(endpoint(replicas=2), record, live(replicas=5))
    assert {one.cause for one in edited.fields} == {Cause.CONFIG}


def test_a_record_keeps_what_was_declared_through_partial_changes() -> None:
    """A change of other fields keeps it. One of the counts forgets it, unless it is a lease."""
    before = recorded(NOON)
    image = Desired(name="base-test", app_name="", fields={"image": {"image": "x:1"}}, is_partial=True)
    counts = replace(image, fields={"workerConfig": {"minNum": 5}})

    assert applied_record(image, ID, KEYRING, before).declared_counts == TEXT
    assert applied_record(counts, ID, KEYRING, before).declared_counts == ""
    assert (
        applied_record(replace(counts, declared_counts="1-1"), ID, KEYRING, before).declared_counts == "1-1"
    )
    assert before.deposed().declared_counts == ""


def test_a_schedule_whose_counts_are_left_alone_is_not_recorded() -> None:
    """It waits for an approval, and another change of the endpoint does not."""
    edited = replace(with_schedule(scheduled(NIGHT), NOON), kept=(("workerConfig", "maxNum"),))

    assert applied_record(edited, ID, KEYRING, recorded(NOON)).declared_counts == TEXT


def test_what_is_declared_is_known_as_far_as_it_is_recorded() -> None:
    unknown = Tracked(name="a", id="id-1", applied={})
    partial = Desired(name="a", app_name="", fields={}, is_partial=True)

    assert (declared_counts(scheduled()), declared_counts(endpoint()), declared_counts(partial)) == (
        TEXT,
        "1-1",
        "",
    )
    assert recorded_counts(recorded(NOON)) == TEXT
    assert recorded_counts(applied_record(endpoint(), ID, KEYRING)) == "1-1"
    assert recorded_counts(unknown) == ""


def test_the_next_change_is_the_earliest_of_all_that_time_changes() -> None:
    lease = Lease(min=5, max=5, until=NOON + timedelta(hours=1), why="launch day")
    ended = replace(lease, until=NOON - timedelta(hours=1))
    window = Window(kind=WindowKind.DENY, cron="30 12 * * *", seconds=600, tz="Europe/Berlin")
    windowed = replace(endpoint("other"), sync={"windows": (window,)})
    unleased, leased = (
        inventory(replace(recorded(NOON), lease=ended)),
        inventory(replace(recorded(NOON), lease=lease)),
    )
    suspended = replace(DEFAULT_SYNC, suspend_until=NOON + timedelta(minutes=5))

    assert next_change([scheduled()], unleased, DEFAULT_SYNC, NOON) == berlin("06T20:00")
    assert next_change([scheduled()], leased, DEFAULT_SYNC, NOON) == lease.until
    assert next_change([scheduled(), windowed], leased, DEFAULT_SYNC, NOON) == berlin("06T12:30")
    assert next_change([scheduled(), windowed], leased, suspended, NOON) == suspended.suspend_until
    assert next_change([scheduled(NIGHT)], Inventory(), DEFAULT_SYNC, NOON) is None
