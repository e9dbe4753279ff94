"""Other worker counts for a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconciler.model.plan import Cause, NoOp, Scale
from reconciler.model.resource import Desired, Inventory
from reconciler.model.sync.lease import Lease
from reconciler.planning.leases import apply_leases, with_lease
from reconciler.planning.selection import Selection
from tests.builders import change, endpoint, live, tracked

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
LEASE = Lease(min=2, max=8, until=NOW + timedelta(hours=1), why="launch day")
RECORD = replace(tracked(minReplicas=2, maxReplicas=8), lease=LEASE, declared_counts="1-1")
INVENTORY = Inventory(records={"base-test": RECORD})
LIVE = [live(minReplicas=2, maxReplicas=8)]


def test_while_it_runs_its_counts_are_wanted() -> None:
    """There is nothing to change, and a note says how long and why."""
    (wanted,), (note,) = apply_leases([endpoint()], INVENTORY, LIVE, NOW)
    found = change(wanted, RECORD, live(minReplicas=2, maxReplicas=8))
    assert isinstance(found, NoOp)
    assert not found.is_stale
    assert (note.code, note.severity.value) == ("lease", "note")
    assert note.summary == "`base-test` has 2 to 8 workers by a lease until 2026-01-31 13:00Z: launch day"


def test_what_others_change_meanwhile_comes_back_to_it() -> None:
    """A lease guards its counts as the YAML guards others."""
    (wanted,), _ = apply_leases([endpoint()], INVENTORY, LIVE, NOW)
    found = change(wanted, RECORD, live(minReplicas=0, maxReplicas=8))
    assert isinstance(found, Scale)
    assert [(field.after, field.cause) for field in found.fields] == [(2, Cause.DRIFT)]


def test_from_its_end_on_what_is_declared_holds() -> None:
    """The plan is the doing of time, and the record loses the lease with it."""
    (wanted,), (note,) = apply_leases([endpoint()], INVENTORY, LIVE, LEASE.until)
    assert wanted == endpoint()
    found = change(wanted, RECORD, live(minReplicas=2, maxReplicas=8))
    assert isinstance(found, Scale)
    assert {field.cause for field in found.fields} == {Cause.TIME}
    assert note.code == "lease-over"
    already = change(wanted, replace(tracked(), lease=LEASE), live())
    assert isinstance(already, NoOp)
    assert already.is_stale


def test_a_change_by_hand_says_itself_what_becomes_of_it() -> None:
    """It is not laid under the lease, and nothing is noted."""
    partial = Desired(name="base-test", app_name="", fields={"image": {"image": "new:1"}}, is_partial=True)
    assert apply_leases([partial], INVENTORY, LIVE, NOW) == ((partial,), ())


def test_a_note_is_about_what_was_selected() -> None:
    """The others are as they are, and not spoken of; one without a lease never is."""
    elsewhere = Selection(targets=("other",))
    wanted, notes = apply_leases([endpoint(), endpoint("other")], INVENTORY, LIVE, NOW, elsewhere)
    assert wanted == (with_lease(endpoint(), LEASE), endpoint("other"))
    assert notes == ()


def test_a_deposed_endpoint_has_no_lease() -> None:
    """The lease goes to the one that took its name."""
    assert RECORD.deposed().lease is None
