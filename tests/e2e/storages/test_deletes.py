"""A storage is deleted only if its protection was lifted and its data is given up by name."""

from typing import Any

import pytest

from tests.e2e.sandbox import Sandbox, item

from .support import call, live, records, storage, unprotected

ADDRESS = "novita_storage.weights"
CONSENT = ("--allow-delete", "1", "--allow-storage-delete", "weights")


def mounted(name: str, storage_id: str) -> dict[str, Any]:
    return item(name, storage=[{"type": "network", "id": storage_id, "mountPath": "/weights"}])


def test_it_is_protected_by_default(sandbox: Sandbox) -> None:
    """No flag lifts preventDestroy, which the inventory remembers when the item is gone."""
    sandbox.declare(storages=[storage()])
    sandbox.apply()
    sandbox.declare()
    ran = sandbox.run("apply", "--auto-approve", *CONSENT)
    assert ran.code == 3
    assert "has preventDestroy" in ran.err
    assert "weights" in live(sandbox)
    assert sandbox.run("destroy", "--auto-approve", "--allow-storage-delete", "weights").code == 3


def test_an_unprotected_one_needs_consent_by_name(sandbox: Sandbox) -> None:
    """The guard tells what is lost and who mounts it; --allow-delete alone is not enough."""
    sandbox.declare(storages=[unprotected()])
    sandbox.apply()
    storage_id = live(sandbox)["weights"]["storageId"]
    sandbox.declare(mounted("chat", storage_id), mounted("llm", storage_id), storages=[unprotected()])
    sandbox.apply()
    sandbox.declare(item("chat"), item("llm"))
    for options in ([], ["--allow-delete", "1"], ["--allow-delete", "1", "--allow-storage-delete", "other"]):
        ran = sandbox.run("apply", "--auto-approve", *options)
        assert ran.code == 3
        assert f"`weights` ({storage_id}) would be deleted with all its data, 200 GB in us-" in ran.err
        assert "it is mounted by `chat`, `llm`" in ran.err
        assert "pass --allow-storage-delete weights" in ran.err
    sandbox.apply(*CONSENT)
    assert (live(sandbox), records(sandbox)) == ({}, {})
    posts = [one.operation for one in sandbox.sim.requests if one.method == "POST"]
    assert posts[-3:] == ["update", "update", "storage_delete"]


def test_nobody_mounts_it(sandbox: Sandbox) -> None:
    """The guard says so too."""
    sandbox.declare(storages=[unprotected()])
    sandbox.apply()
    sandbox.declare()
    assert "no endpoint mounts it" in sandbox.run("plan", "--allow-delete", "1").err


def test_lifting_the_protection_is_a_step_of_its_own(sandbox: Sandbox) -> None:
    """An apply of `preventDestroy: false` changes nothing but the record."""
    sandbox.declare(storages=[storage()])
    sandbox.apply()
    sandbox.declare(storages=[unprotected()])
    assert "its protection ends with this apply" in sandbox.run("plan").err
    sandbox.apply()
    sandbox.declare()
    sandbox.apply(*CONSENT)
    assert live(sandbox) == {}


def test_destroy_needs_the_same_consent(sandbox: Sandbox) -> None:
    """Endpoints first, then the storage that they mount."""
    sandbox.declare(storages=[unprotected()])
    sandbox.apply()
    storage_id = live(sandbox)["weights"]["storageId"]
    sandbox.declare(mounted("chat", storage_id), storages=[unprotected()])
    sandbox.apply()
    ran = sandbox.run("destroy", "--auto-approve")
    assert ran.code == 3
    assert "it is mounted by `chat`" in ran.err
    sandbox.sim.world.switch(in_use_lag_seconds=0.0)
    ran = sandbox.run("destroy", "--auto-approve", "--allow-storage-delete", "weights")
    assert ran.code == 0, ran.err
    assert (live(sandbox), sandbox.live()) == ({}, {})


def test_a_saved_plan_remembers_the_consent(sandbox: Sandbox) -> None:
    """The options of the plan are part of the file."""
    sandbox.declare(storages=[unprotected()])
    sandbox.apply()
    sandbox.declare()
    assert sandbox.run("plan", "--out", "plan.json", *CONSENT).code == 0
    assert sandbox.run("apply", "plan.json", "--auto-approve").code == 0
    assert live(sandbox) == {}


def test_one_that_is_in_use_stays(sandbox: Sandbox) -> None:
    """An endpoint that nobody declares mounts it: Novita refuses, and the record stays."""
    sandbox.declare(storages=[unprotected()])
    sandbox.apply()
    storage_id = live(sandbox)["weights"]["storageId"]
    mount = {"type": "network", "id": storage_id, "mountPath": "/w", "size": 0}
    sandbox.sim.world.console_create(name="foreign", volumeMounts=[mount])
    sandbox.declare()
    ran = sandbox.run("apply", "--auto-approve", *CONSENT)
    assert ran.code != 0
    assert "delete what uses it first" in (ran.out + ran.err).lower()
    assert ADDRESS in records(sandbox)
    assert "weights" in live(sandbox)


def test_it_is_never_replaced(sandbox: Sandbox) -> None:
    """Not even on request."""
    sandbox.declare(storages=[unprotected()])
    sandbox.apply()
    ran = sandbox.run("plan", "--replace", ADDRESS)
    assert ran.code == 1
    assert "cannot be replaced: its data would be lost, 200 GB in us-dallas-nas-2" in ran.err


@pytest.mark.parametrize("make", [storage, unprotected])
def test_one_that_was_released_is_told_clearly(sandbox: Sandbox, make: Any) -> None:
    """A new one is empty: the plan warns, whoever mounts the old one."""
    sandbox.declare(storages=[make()])
    sandbox.apply()
    storage_id = live(sandbox)["weights"]["storageId"]
    call(sandbox, "networkstorage/delete", {"storageId": storage_id})
    ran = sandbox.run("plan")
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in ran.out
    assert f"{storage_id}, which is gone with all its data" in ran.err
    assert "is empty" in ran.err
    assert sandbox.run("drift").code == 2
    sandbox.apply()
    assert live(sandbox)["weights"]["storageId"] != storage_id
    assert "No changes." in sandbox.run("plan").out
