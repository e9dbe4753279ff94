"""Commands that know resources of every kind by their addresses."""

import json

import pytest

from tests.e2e.sandbox import Sandbox, item

from .test_references import robot
from .test_second_kind import credential, record
from .test_second_kind import password as password
from .toy import ROBOT_TYPE, TYPE, Console

BENDER = f"{ROBOT_TYPE}.bender"


@pytest.fixture
def drifted(sandbox: Sandbox, console: Console) -> Sandbox:
    """A robot whose task was changed by somebody, beside an endpoint of the same name."""
    sandbox.declare(item("bender"), credentials=[credential()], robots=[robot(task="wave")])
    sandbox.apply()
    (one,) = console.robots.values()
    one["task"] = "dance"
    return sandbox


def test_drift_is_reverted_by_its_address(drifted: Sandbox, console: Console) -> None:
    """A change of the YAML that is not applied yet stays pending."""
    drifted.declare(item("bender"), credentials=[credential()], robots=[robot(task="wave"), robot("new")])
    assert "`bender` has not drifted" in drifted.run("drift", "revert", "bender").err
    ran = drifted.run("drift", "revert", BENDER, "--auto-approve")
    assert ran.code == 0, ran.err
    assert [one["task"] for one in console.robots.values()] == ["wave"]
    assert drifted.plan().actions == {"new": "create"}


def test_all_drift_is_reverted(drifted: Sandbox, console: Console) -> None:
    assert drifted.run("drift", "revert", "--auto-approve").code == 0
    assert [one["task"] for one in console.robots.values()] == ["wave"]


def test_destroy_needs_no_secret(drifted: Sandbox, console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is deleted is recorded, so that no password has to be known."""
    monkeypatch.delenv("HUB_PASSWORD")
    ran = drifted.run("destroy", "--auto-approve")
    assert ran.code == 0, ran.err
    assert (console.robots, console.credentials, drifted.live()) == ({}, {}, {})


def test_a_target_needs_the_secrets_of_what_it_refers_to(
    sandbox: Sandbox, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And of nothing else."""
    sandbox.declare(item("chat"), credentials=[credential()], robots=[robot()])
    monkeypatch.delenv("HUB_PASSWORD")
    assert sandbox.plan("--target", "chat").actions == {"chat": "create"}
    assert sandbox.run("plan", "--target", BENDER).code == 1


def test_the_inventory_is_rebuilt(drifted: Sandbox, console: Console) -> None:
    """Declared resources of all kinds are recorded, and the plan after it has the drift as a change."""
    before = record(drifted)
    (drifted.root / "state/novita.json").unlink()
    ran = drifted.run("state", "rebuild")
    assert ran.code == 0, ran.err
    after = record(drifted)
    assert {key: one["id"] for key, one in after["resources"].items()} == {
        key: one["id"] for key, one in before["resources"].items()
    }
    assert "s3cret" not in json.dumps(after)
    assert drifted.plan().actions["bender"] == "update"


def test_a_rebuild_keeps_live_records(drifted: Sandbox, console: Console) -> None:
    before = record(drifted)["resources"]
    console.credentials.clear()
    assert drifted.run("state", "rebuild").code == 0
    assert record(drifted)["resources"] == {BENDER: before[BENDER]}
    assert f"{TYPE}.hub" in before


def test_validate_counts_every_kind(sandbox: Sandbox, console: Console) -> None:
    sandbox.declare(item("chat"), credentials=[credential()], robots=[robot(), robot("r2")])
    assert "  1 endpoint, 3 resources in endpoints.yaml\n" in sandbox.run("validate").out
    document = sandbox.run("validate", "--json").document
    assert document["resources"] == [f"{TYPE}.hub", BENDER, f"{ROBOT_TYPE}.r2"]
