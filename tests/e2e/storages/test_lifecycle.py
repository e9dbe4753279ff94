"""A network storage is created, grows, is renamed, and keeps its data."""

import pytest

from reconciler.simulator.faults import parse_fault
from tests.e2e.sandbox import Sandbox

from .support import REGION, call, live, records, storage, unprotected

ADDRESS = "novita_storage.weights"


def test_it_is_created_once(sandbox: Sandbox) -> None:
    """The answer is a bare string; the plan after the apply is empty."""
    sandbox.declare(storages=[storage()])
    assert sandbox.plan().actions == {"weights": "create"}
    sandbox.apply()
    found = live(sandbox)["weights"]
    assert (found["storageSize"], found["clusterId"]) == (200, REGION)
    assert records(sandbox)[ADDRESS]["id"] == found["storageId"]
    assert "No changes." in sandbox.run("plan").out


def test_it_grows_and_is_renamed_in_place(sandbox: Sandbox) -> None:
    """In one call; the ID stays."""
    sandbox.declare(storages=[storage()])
    sandbox.apply()
    before = live(sandbox)["weights"]["storageId"]
    sandbox.declare(storages=[storage("models", sizeGb=300, renamedFrom="weights")])
    plan = sandbox.run("plan").out
    assert "weights" in plan
    assert "300" in plan
    sandbox.apply()
    assert {name: (one["storageId"], one["storageSize"]) for name, one in live(sandbox).items()} == {
        "models": (before, 300)
    }
    assert list(records(sandbox)) == ["novita_storage.models"]
    assert len([one for one in sandbox.sim.requests if one.path.endswith("networkstorage/update")]) == 1
    assert "No changes." in sandbox.run("plan").out


@pytest.mark.parametrize(
    ("change", "what", "hint"),
    [
        ({"sizeGb": 100}, "cannot shrink to 100 GB", "`sizeGb: 200`"),
        ({"region": "eu-de-1"}, "cannot move to eu-de-1", f"`region: {REGION}`"),
    ],
)
@pytest.mark.parametrize("protect", [True, False])
def test_what_would_lose_data_is_refused(
    sandbox: Sandbox, change: dict[str, object], what: str, hint: str, *, protect: bool
) -> None:
    """Protected or not, with the place and the way out."""
    make = storage if protect else unprotected
    sandbox.declare(storages=[make()])
    sandbox.apply()
    sandbox.declare(storages=[make(**change)])
    ran = sandbox.run("apply", "--auto-approve", "--allow-delete", "1")
    assert ran.code == 1
    assert what in ran.err
    assert "data would be lost" in ran.err
    assert hint in ran.err
    assert "endpoints.yaml:" in ran.err
    assert live(sandbox)["weights"]["storageSize"] == 200


def test_an_item_is_checked(sandbox: Sandbox) -> None:
    """Names, the least size, and keys."""
    sandbox.declare(
        storages=[
            storage("a b"),
            storage("small", sizeGb=9),
            storage("typo", regoin="x"),
            {"name": "half"},
            storage("twice"),
            storage("twice"),
        ]
    )
    ran = sandbox.run("validate")
    assert ran.code == 1
    for line in (
        "unknown key `regoin`",
        "letters, digits and hyphens",
        "`sizeGb` must be 10 or more",
        "has no `region`",
        "has no `sizeGb`",
        "`twice` is declared twice in `storages`",
    ):
        assert line in ran.err, ran.err


def test_references_are_resolved(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the size and in the region, as in endpoints."""
    monkeypatch.setenv("SIZE", "50")
    monkeypatch.setenv("REGION", REGION)
    sandbox.declare(storages=[storage(sizeGb="${env:SIZE}", region="${env:REGION}")])
    sandbox.apply()
    assert (live(sandbox)["weights"]["storageSize"], live(sandbox)["weights"]["clusterId"]) == (50, REGION)
    assert "No changes." in sandbox.run("plan").out


def test_a_lost_answer_makes_no_second_one(sandbox: Sandbox) -> None:
    """The journal has the create; the listing shows which one it was."""
    sandbox.declare(storages=[storage()])
    sandbox.sim.faults.add(parse_fault("storage_create:lost_answer"))
    sandbox.run("apply", "--auto-approve")
    sandbox.apply()
    assert list(live(sandbox)) == ["weights"]
    assert len(call(sandbox, "networkstorages/list")["data"]) == 1
    assert records(sandbox)[ADDRESS]["id"] == live(sandbox)["weights"]["storageId"]


def test_a_killed_create_is_found(sandbox: Sandbox) -> None:
    """Killed after Novita made it and before its answer was read."""
    sandbox.declare(storages=[storage()])
    sandbox.killed("storage_create")
    assert "it was created as" in sandbox.run("plan").err
    sandbox.apply()
    assert len(call(sandbox, "networkstorages/list")["data"]) == 1


def test_a_create_that_appears_late_is_waited_for(sandbox: Sandbox) -> None:
    """An open create is settled before it is sent again, with storages alone as with endpoints."""
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 2}})
    sandbox.sim.world.switch(reference_lag_seconds=0.4)
    sandbox.declare(storages=[storage()])
    sandbox.killed("storage_create")
    sandbox.apply()
    assert len(sandbox.sent("storage_create")) == 1
    sandbox.sim.world.switch(reference_lag_seconds=0.0)
    assert records(sandbox)[ADDRESS]["id"] == live(sandbox)["weights"]["storageId"]


def test_an_inventory_of_storages_belongs_to_its_account(sandbox: Sandbox) -> None:
    """Records of storages alone are guarded as those of endpoints: another host is another account."""
    sandbox.declare(storages=[storage()])
    sandbox.apply()
    path = sandbox.root / "state/novita.json"
    path.write_text(path.read_text().replace(sandbox.sim.url, "https://api.novita.ai"))
    ran = sandbox.run("apply", "--auto-approve")
    assert ran.code == 3
    assert "--allow-other-account" in ran.err


def test_two_of_one_name_are_told_apart_by_their_ids(sandbox: Sandbox) -> None:
    """Names are not unique in Novita. The way out deletes nothing."""
    for _ in range(2):
        body = {"clusterId": REGION, "storageName": "weights", "storageSize": 200}
        call(sandbox, "networkstorage/create", body)
    first, second = sorted(one["storageId"] for one in call(sandbox, "networkstorages/list")["data"])
    sandbox.declare(storages=[storage()])
    ran = sandbox.run("plan")
    assert ran.code == 1
    assert f"2 live network storages are called `weights`: {first}, {second}" in ran.err
    assert f"reconciler import {ADDRESS} {first}" in ran.err
    assert sandbox.run("import", ADDRESS, second).code == 0
    again = sandbox.run("plan")
    assert "No changes." in again.out
    assert f"another live network storage has the same name: {first}" in again.err


def test_many_are_listed_completely(sandbox: Sandbox) -> None:
    """Pages are counted from 1, and the total proves that none is missing."""
    for number in range(120):
        call(
            sandbox,
            "networkstorage/create",
            {"clusterId": REGION, "storageName": f"s-{number}", "storageSize": 10},
        )
    sandbox.declare(storages=[storage("s-119", sizeGb=10)])
    plan = sandbox.plan()
    assert plan.actions == {"s-119": "adopt"}
    pages = [one.query["pageNo"] for one in sandbox.sim.requests if one.path.endswith("networkstorages/list")]
    assert sorted(pages) == ["1", "2", "3"]


def test_an_exchange_of_storages_declared_once_more(sandbox: Sandbox) -> None:
    """Without it one would shrink, which is refused, and the other one would grow."""
    small, large = storage("small", sizeGb=100), storage("large", sizeGb=200)
    sandbox.declare(storages=[small, large])
    sandbox.apply()
    exchanged = [
        storage("large", sizeGb=100, renamedFrom="small"), storage("small", sizeGb=200, renamedFrom="large")
    ]  # fmt: skip
    for storages in (exchanged, [{**small, "renamedFrom": "large"}, {**large, "renamedFrom": "small"}]):
        before = {name: one["storageId"] for name, one in live(sandbox).items()}
        sandbox.declare(storages=storages)
        sandbox.apply()
        after = {name: one["storageId"] for name, one in live(sandbox).items()}
        assert after == {"small": before["large"], "large": before["small"]}
    assert sandbox.plan().code == 0
