"""A server that ignores conditions cannot lock, and is refused before the first lock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.inventory.stores.clock import passed
from reconciler.inventory.stores.object_store.clock import ServerClock
from reconciler.inventory.stores.object_store.examination import _clock
from reconciler.model.problem import Severity
from tests.s3_proxy import Fault, refusal
from tests.stores.object_stores import Place, holder, place, refused

__all__ = ["place"]


@pytest.mark.parametrize("header", ["if-none-match", "if-match"])
def test_a_server_that_ignores_a_condition_is_refused(place: Place, header: str) -> None:
    place.proxy.fault = lambda method, path: Fault(without=(header,))
    with refused("store-cannot-lock") as caught, place.store(is_disturbed=True).hold(holder()):
        pass
    assert caught.value.problem.summary == f"This server cannot lock: {place.proxy.url}"
    assert not place.store().exists()
    assert place.proxy.count("PUT") == len(
        [one for one in place.proxy.seen if "/probe/" in one and "PUT" in one]
    )


def test_an_inventory_of_a_good_server_is_not_locked_through_a_bad_one(place: Place) -> None:
    with place.store().hold(holder("anna")):
        place.proxy.fault = lambda method, path: Fault(without=("if-match", "if-none-match"))
        with refused("store-cannot-lock"), place.store(is_disturbed=True).hold(holder("bert")):
            pass
        owner = place.store().holder()
        assert owner is not None
        assert owner.who == "anna"


def test_a_server_without_conditional_writes_is_refused(place: Place) -> None:
    place.proxy.fault = lambda method, path: refusal(501, "NotImplemented") if method == "PUT" else None
    with refused("store-cannot-lock"), place.store(is_disturbed=True).hold(holder()):
        pass


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("GET", refusal(404, "NoSuchKey")),
        ("PUT", refusal(412, "PreconditionFailed")),
    ],
    ids=["nothing is read back", "each write is refused"],
)
def test_a_server_that_cannot_keep_an_object_is_refused(place: Place, method: str, fault: Fault) -> None:
    place.proxy.fault = lambda its, path: fault if its == method and "/probe/" in path else None
    with refused("store-cannot-lock"), place.store(is_disturbed=True).hold(holder()):
        pass


def test_a_run_that_may_not_delete_is_refused_before_it_locks(place: Place) -> None:
    place.proxy.fault = lambda method, path: refusal(403, "AccessDenied") if method == "POST" else None
    with refused("store-refused"), place.store(is_disturbed=True).hold(holder()):
        pass
    assert not place.store().exists()


def test_a_probe_leaves_nothing(place: Place) -> None:
    with place.store(is_disturbed=True).hold(holder()):
        pass
    assert place.proxy.count("PUT") > 2
    listing = [one["path"] for one in place.bucket()._store.list().collect()]
    assert listing == ["team/prod/head.json"]


def test_the_facts_for_doctor(place: Place) -> None:
    empty = [row.code for row in place.store().examine()]
    assert empty == ["store-reachable", "store-locks", "store-clock"]
    with place.store().hold(holder("anna")) as hold:
        hold.append(b"line\n")
        rows = {row.code: row for row in place.store().examine()}
    assert list(rows) == [*empty, "store-version", "store-journal", "store-owner"]
    assert all(row.severity is Severity.NOTE for row in rows.values())
    assert "locked 1 time" in rows["store-version"].summary
    assert "1 append that the map does not have yet" in rows["store-journal"].summary
    assert "anna on laptop" in rows["store-owner"].summary


def test_a_clock_far_from_that_of_the_server_is_a_warning() -> None:
    for hours, severity in ((0, Severity.NOTE), (1, Severity.WARNING), (-1, Severity.WARNING)):
        written = datetime.now(UTC) + timedelta(hours=hours)
        assert _clock(ServerClock(written=written, at=passed())).severity is severity


def test_the_facts_end_with_the_first_failure(place: Place) -> None:
    place.proxy.fault = lambda method, path: Fault(without=("if-match",))
    assert [row.code for row in place.store(is_disturbed=True).examine()] == [
        "store-reachable",
        "store-cannot-lock",
    ]
    place.proxy.fault = lambda method, path: refusal(404, "NoSuchBucket")
    assert [row.code for row in place.store(is_disturbed=True).examine()] == ["store-not-found"]
