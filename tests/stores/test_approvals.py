"""A waiting plan is approved on one machine, and the leader on another one reads it, in every store."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.controller.approval import APPROVAL, approve, find_approval, sealed, use_approval
from reconciler.controller.state import WaitingPlan
from reconciler.model.errors import InvalidConfig, InventoryLocked
from reconciler.workflow.runtime.context import Context
from tests.stores.engines import StoreUnderTest, holder

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
PLAN = WaitingPlan(digest="ab" * 32, since=NOW, revision="1234", summary="1 to add", text="  + chat")


@pytest.fixture
def daemon(under_test: StoreUnderTest, tmp_path: Path) -> Context:
    return a_context(under_test, tmp_path / "daemon")


@pytest.fixture
def laptop(under_test: StoreUnderTest, tmp_path: Path) -> Context:
    """The same inventory and key, in another folder and without files."""
    return a_context(under_test, tmp_path / "laptop")


def a_context(under_test: StoreUnderTest, root: Path, key: str = "sk_one") -> Context:
    root.mkdir()
    address = under_test.address
    return Context(
        root=root,
        environ={**os.environ, **under_test.environ, "NOVITA_API_KEY": key},
        state=Path(address) if under_test.name == "file" else address,
        now=lambda: NOW,
    )


def test_an_approval_is_seen_without_a_lock_and_used_once(daemon: Context, laptop: Context) -> None:
    waiting = sealed(daemon, PLAN)
    assert find_approval(daemon, waiting) is None
    approve(laptop, waiting, "ada@laptop")
    with daemon.store.hold(holder("somebody")):
        found = find_approval(daemon, waiting)
    assert found is not None
    assert (found.who, found.digest) == ("ada@laptop", PLAN.digest)
    data = daemon.store.read_document(APPROVAL)
    assert data is not None
    assert use_approval(daemon, waiting) == found
    assert find_approval(daemon, waiting) is None
    with pytest.raises(InvalidConfig) as gone:
        use_approval(daemon, waiting)
    assert gone.value.problem.code == "not-approved"
    with daemon.store.hold(holder("thief")) as hold:
        hold.write_document(APPROVAL, data)
    again = sealed(daemon, replace(PLAN, since=NOW + timedelta(minutes=1)))
    with pytest.raises(InvalidConfig) as replayed:
        find_approval(daemon, again)
    assert replayed.value.problem.code == "approval-invalid"


def test_the_lock_of_another_run_is_not_broken(daemon: Context, laptop: Context) -> None:
    waiting = sealed(daemon, PLAN)
    with daemon.store.hold(holder("an apply")), pytest.raises(InventoryLocked):
        approve(replace(laptop, lock_timeout=0.1), waiting, "ada")
    approve(laptop, waiting, "ada")
    with laptop.store.hold(holder("an apply")), pytest.raises(InventoryLocked):
        use_approval(daemon, waiting)
    assert use_approval(daemon, waiting).who == "ada"


def test_an_approval_is_bound_to_one_plan(daemon: Context, laptop: Context) -> None:
    waiting = sealed(daemon, PLAN)
    approve(laptop, waiting, "ada")
    other = sealed(daemon, replace(PLAN, digest="cd" * 32))
    assert find_approval(daemon, other) is None
    assert find_approval(daemon, waiting)
    approve(laptop, other, "bob")
    assert find_approval(daemon, waiting) is None
    assert use_approval(daemon, other).who == "bob"
