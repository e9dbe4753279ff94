"""Leadership within one process: what is told, and what is not lost."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.controller.leader import Leader, leadership
from reconciler.controller.state import SYNC_STATE
from reconciler.inventory.stores.terraform_http import TerraformHttpStore
from reconciler.model.errors import InventoryError
from reconciler.model.inventory_location import parse_location
from reconciler.model.problem import Problem, Severity
from reconciler.model.sync import durations
from reconciler.workflow.runtime.context import Context
from tests.postgres_server import PostgresServer
from tests.stores.engines import holder
from tests.stores.gitlab_server import StateServer, environment


class InstantClock:
    """A clock whose waits take no time. `waits`: their seconds."""

    def __init__(self, before: Callable[[int], None] = lambda _number: None) -> None:
        self.waits: list[float] = []
        self._before = before

    def now(self) -> datetime:
        return datetime(2026, 11, 29, tzinfo=UTC)

    def monotonic(self) -> float:
        return sum(self.waits)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.waits.append(seconds)
        self._before(len(self.waits))
        return event.is_set()


def context_of(address: str | Path, environ: dict[str, str] | None = None) -> Context:
    state = address if isinstance(address, Path) else parse_location(address)
    return Context(root=Path("/"), environ=environ or {}, state=state, command="reconciler run", who="deploy")


def test_nothing_is_led_after_a_stop(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with leadership(context_of(tmp_path / "novita.json"), stop, InstantClock()) as leader:
        assert leader is None
    assert list(tmp_path.iterdir()) == []


def test_the_leader_is_this_process_and_its_documents_are_beside_the_map(tmp_path: Path) -> None:
    context = context_of(tmp_path / "novita.json")
    with leadership(context, threading.Event(), InstantClock()) as leader:
        assert leader is not None
        assert (leader.holder.who, leader.holder.pid) == ("deploy", os.getpid())
        leader.write_document(SYNC_STATE, b"{}")
        found = context.store.sibling.holder()
        assert found is not None
        assert found.command == "reconciler run"
    assert context.store.sibling.holder() is None
    assert context.store.sibling.read_document(SYNC_STATE) == b"{}"
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "novita.json.run.lock",
        "novita.json.run.sync.json",
    ]
    assert context.store.neighbors() == {}
    assert not context.store.read().exists


def test_two_environments_with_one_inventory_are_named(tmp_path: Path) -> None:
    context, told, stop = context_of(tmp_path / "novita.json"), list[Problem](), threading.Event()

    def tell(problem: Problem) -> None:
        told.append(problem)
        stop.set()

    with (
        leadership(context, threading.Event(), InstantClock()),
        leadership(context, stop, InstantClock(), tell=tell) as second,
    ):
        assert second is None
    [problem] = told
    assert problem.severity is Severity.NOTE
    assert "another environment of this process leads" in problem.summary
    assert "an inventory of its own" in problem.hint


def test_environments_that_share_a_database_have_a_leader_each(postgres_server: PostgresServer) -> None:
    addresses = [postgres_server.address("staging")]
    addresses.append(addresses[0].replace("inventory=staging", "inventory=prod"))
    with ExitStack() as stack:
        leaders = [
            stack.enter_context(leadership(context_of(address), threading.Event(), InstantClock()))
            for address in addresses
        ]
        assert all(isinstance(leader, Leader) for leader in leaders)
        for address in addresses:
            assert context_of(address).store.sibling.holder() is not None
            assert context_of(address).store.neighbors() == {}


def test_a_store_that_cannot_be_reached_is_told_once_and_tried_again(gitlab: StateServer) -> None:
    """With longer and longer pauses. The process leads as soon as the store is back."""
    context, told = context_of(gitlab.gitlab("down"), environment(gitlab)), list[Problem]()
    with_failures = 3

    def count(number: int) -> None:
        if number < with_failures:
            gitlab.faults = {"GET": [403]}

    gitlab.faults = {"GET": [403]}
    clock = InstantClock(count)
    with leadership(context, threading.Event(), clock, tell=told.append) as leader:
        assert leader is not None
    assert clock.waits == [1.0, 2.0, 4.0]
    assert [problem.code for problem in told] == ["store-refused"]


def test_pauses_between_attempts_are_bounded(gitlab: StateServer) -> None:
    stop = threading.Event()

    def refuse(number: int) -> None:
        gitlab.faults = {"GET": [403]}
        if number == 8:
            stop.set()

    refuse(0)
    clock = InstantClock(refuse)
    with leadership(context_of(gitlab.gitlab("gone"), environment(gitlab)), stop, clock) as leader:
        assert leader is None
    assert max(clock.waits) == durations.MAX_LEADER_RETRY
    gitlab.faults = {}


def test_an_outage_of_gitlab_is_no_loss(gitlab: StateServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock outlives it, and a leader that gave it up could not free it."""
    monkeypatch.setattr("reconciler.inventory.stores.terraform_http.hold.STATE_TRUST", 0.0)
    context, lost = context_of(gitlab.gitlab("outage"), environment(gitlab)), list[bool]()
    with leadership(context, threading.Event(), InstantClock(), on_lost=lambda: lost.append(True)) as leader:
        assert leader is not None
        leader.write_document(SYNC_STATE, b"1")
        gitlab.faults = {"GET": [403]}
        with pytest.raises(InventoryError, match="403"):
            leader.check()
        assert not leader.lost.is_set()
        leader.check()
        leader.write_document(SYNC_STATE, b"2")
    assert lost == []
    assert context.store.sibling.read_document(SYNC_STATE) == b"2"


def test_a_leader_that_was_replaced_by_hand_learns_it_at_rest(
    gitlab: StateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.inventory.stores.terraform_http.hold.STATE_TRUST", 0.0)
    context, lost = context_of(gitlab.gitlab("by-hand"), environment(gitlab)), threading.Event()
    with leadership(context, threading.Event(), InstantClock(), on_lost=lost.set) as leader:
        assert leader is not None
        leader.write_document(SYNC_STATE, b"1")
        sibling = TerraformHttpStore(context.store.sibling._server.address, environment(gitlab))  # type: ignore[attr-defined]
        found = sibling.holder()
        assert found is not None
        sibling.unlock(found.lock_id)
        with sibling.hold(holder("another")) as hold:
            hold.write_document(SYNC_STATE, b"2")
            assert lost.wait(60)
            with pytest.raises(InventoryError, match=r"The leadership of .* another run has written"):
                leader.write_document(SYNC_STATE, b"3")
    assert sibling.read_document(SYNC_STATE) == b"2"


def test_a_lock_that_could_not_be_freed_is_told(gitlab: StateServer) -> None:
    context, told = context_of(gitlab.gitlab("stays"), environment(gitlab)), list[Problem]()
    with leadership(context, threading.Event(), InstantClock(), tell=told.append) as leader:
        assert leader is not None
        gitlab.faults = {"DELETE": [403]}
    [problem] = told
    assert problem.code == "lock-not-freed"
    assert "reconciler state unlock " in problem.hint
    found = context.store.sibling.holder()
    assert found is not None
    context.store.sibling.unlock(found.lock_id)


def test_asking_who_leads_makes_no_state_in_gitlab(gitlab: StateServer) -> None:
    store = context_of(gitlab.gitlab("untouched"), environment(gitlab)).store
    assert store.sibling.holder() is None
    assert not [path for path in gitlab.states if "untouched" in path]


def test_the_lock_of_another_server_must_be_below_the_state(gitlab: StateServer) -> None:
    environ = environment(gitlab)
    below = {**environ, "TF_HTTP_LOCK_ADDRESS": f"{gitlab.plain('prod')}/lock"}
    sibling = context_of(gitlab.plain("prod"), below).store.sibling
    assert sibling.label == f"{gitlab.plain('prod')}-run"
    assert str(sibling._server.address.lock).endswith("/prod-run/lock")  # type: ignore[attr-defined]
    elsewhere = {**environ, "TF_HTTP_LOCK_ADDRESS": f"{gitlab.url}/locks/prod"}
    with (
        pytest.raises(InventoryError, match="is not below"),
        leadership(context_of(gitlab.plain("prod"), elsewhere), threading.Event(), InstantClock()),
    ):
        pass
