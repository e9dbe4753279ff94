"""Endpoints mount a declared storage by its name; Novita gets the ID."""

from typing import Any

import pytest

from tests.e2e.sandbox import SPECS, Sandbox, item

from .support import call, live, storage, unprotected


def mounted(name: str, storage_name: str = "weights", **fields: Any) -> dict[str, Any]:
    mount = {"type": "network", "name": storage_name, "mountPath": "/weights"}
    return item(name, storage=[mount], **fields)


def mounts(sandbox: Sandbox, name: str) -> list[str]:
    """Return the IDs of the storages that a live endpoint mounts."""
    return [mount["id"] for mount in sandbox.live()[name]["volumeMounts"]]


def test_both_are_created_in_one_apply(sandbox: Sandbox) -> None:
    """The storage first; its ID is not known in the plan."""
    sandbox.declare(mounted("chat"), storages=[storage()])
    plan = sandbox.run("plan")
    assert "(known after apply)" in plan.out
    sandbox.apply()
    assert mounts(sandbox, "chat") == [live(sandbox)["weights"]["storageId"]]
    posts = [one.operation for one in sandbox.sim.requests if one.method == "POST"]
    assert posts == ["storage_create", "create"]
    assert "No changes." in sandbox.run("plan").out
    assert sandbox.run("drift").code == 0


def test_a_rename_of_the_storage_changes_no_endpoint(sandbox: Sandbox) -> None:
    """The ID stays, and with it the mount."""
    sandbox.declare(mounted("chat"), storages=[storage()])
    sandbox.apply()
    sandbox.declare(
        mounted("chat", "models"), storages=[storage("models", renamedFrom="weights", sizeGb=300)]
    )
    assert sandbox.plan().actions == {"models": "update"}
    sandbox.apply()
    assert "No changes." in sandbox.run("plan").out


def test_an_id_becomes_a_name_without_a_change(sandbox: Sandbox) -> None:
    """A mount by ID of a storage that is declared later."""
    call(
        sandbox,
        "networkstorage/create",
        {"clusterId": "us-dallas-nas-2", "storageName": "weights", "storageSize": 200},
    )
    mount = {"type": "network", "id": live(sandbox)["weights"]["storageId"], "mountPath": "/weights"}
    sandbox.declare(item("chat", storage=[mount]))
    sandbox.apply()
    sandbox.declare(mounted("chat"), storages=[storage()])
    assert sandbox.plan().actions == {"weights": "adopt"}
    sandbox.apply()
    assert "No changes." in sandbox.run("plan").out


def test_another_region_is_told_at_validate(sandbox: Sandbox) -> None:
    """With both places: that of the mount, and that of the storage."""
    sandbox.declare(mounted("chat"), storages=[storage(region="eu-de-1")])
    ran = sandbox.run("validate")
    assert ran.code == 1
    assert "`chat` is in us-dallas-nas-2 and cannot mount `weights`, which is in eu-de-1" in ran.err
    assert "its spec `small`" in ran.err
    places = [line for line in ran.err.splitlines() if "endpoints.yaml:" in line]
    assert len(places) == 2
    text = (sandbox.root / "endpoints.yaml").read_text().splitlines()
    (line,) = (int(part.split(":")[1]) for part in places[0].split() if part.startswith("endpoints.yaml:"))
    assert '"name": "weights"' in text[line - 1]


@pytest.mark.parametrize("declared", [[], [storage("weight")]])
def test_an_unknown_name_is_told_at_validate(sandbox: Sandbox, declared: list[Any]) -> None:
    """With the names that are declared."""
    sandbox.declare(mounted("chat"), storages=declared)
    ran = sandbox.run("validate")
    assert ran.code == 1
    assert "`weights` is not declared in `storages`" in ran.err
    assert ("did you mean `weight`?" in ran.err.lower()) is bool(declared)


def test_everything_is_destroyed_in_order(sandbox: Sandbox) -> None:
    """Endpoints before the storage that they mount."""
    sandbox.declare(mounted("chat"), mounted("llm"), storages=[unprotected()])
    sandbox.apply()
    ran = sandbox.run("destroy", "--auto-approve", "--allow-storage-delete", "weights")
    assert ran.code == 0, ran.err
    assert (live(sandbox), sandbox.live()) == ({}, {})


def test_a_storage_that_was_released_is_made_again_and_mounted(sandbox: Sandbox) -> None:
    """The plan says that the data is gone, and who mounts it; the endpoint follows in the same apply."""
    sandbox.declare(mounted("chat"), storages=[storage()])
    sandbox.apply()
    before = live(sandbox)["weights"]["storageId"]
    sandbox.sim.world.switch(check_references=False)
    sandbox.sim.world.console_update(sandbox.id("chat"), volumeMounts=[])
    call(sandbox, "networkstorage/delete", {"storageId": before})
    mount = {"type": "network", "id": before, "mountPath": "/weights", "size": 0}
    sandbox.sim.world.console_update(sandbox.id("chat"), volumeMounts=[mount])
    plan = sandbox.run("plan")
    assert f"{before}, which is gone with all its data although it is mounted by `chat`" in plan.err
    assert "Plan: 1 to add, 1 to change, 0 to destroy." in plan.out
    sandbox.apply()
    assert mounts(sandbox, "chat") == [live(sandbox)["weights"]["storageId"]] != [before]
    assert "No changes." in sandbox.run("plan").out


def test_specs_of_other_regions_take_their_own_storage(sandbox: Sandbox) -> None:
    """The region of an endpoint is that of its spec."""
    far = json_copy(SPECS["specs"][0], region="as-sgp-2")
    sandbox.write("specs.yaml", {"specs": [*SPECS["specs"], far]})
    sandbox.declare(
        mounted("near"),
        {**mounted("far", "far-weights"), "specName": "far"},
        storages=[storage(), storage("far-weights", region="as-sgp-2")],
    )
    assert sandbox.run("validate").code == 0
    sandbox.apply()
    assert mounts(sandbox, "far") == [live(sandbox)["far-weights"]["storageId"]]


def json_copy(spec: dict[str, Any], *, region: str) -> dict[str, Any]:
    novita = {**spec["platforms"]["novita"], "region": region}
    return {**spec, "name": "far", "platforms": {"novita": novita}}
