"""`drift accept` of storages and credentials, by their addresses."""

from tests.e2e.registries.credentials import TYPE, auths, credential, delete
from tests.e2e.sandbox import Sandbox, item
from tests.e2e.storages.support import call, live, storage


def test_a_storage_that_grew_is_accepted(sandbox: Sandbox) -> None:
    """An endpoint of the same name is left alone, and the comment in the file is kept."""
    sandbox.declare(item("weights"), storages=[storage()])
    sandbox.apply()
    grown = {"storageId": live(sandbox)["weights"]["storageId"], "storageName": "weights", "storageSize": 300}
    call(sandbox, "networkstorage/update", grown)
    assert sandbox.run("drift", "accept", "weights").code == 1
    ran = sandbox.run("drift", "accept", "novita_storage.weights")
    assert ran.code == 0, ran.err
    assert "300" in ran.out
    assert sandbox.plan().code == 0
    assert sandbox.run("drift").code == 0


def test_the_declaration_of_a_deleted_credential_is_removed(sandbox: Sandbox) -> None:
    sandbox.monkeypatch.setenv("HUB_PASSWORD", "s3cret-of-the-hub")
    sandbox.declare(item("chat"), registries=[credential()])
    sandbox.apply()
    (one,) = auths(sandbox)
    delete(sandbox, one["id"])
    ran = sandbox.run("drift", "accept", f"{TYPE}.hub")
    assert ran.code == 0, ran.err
    assert "hub" not in (sandbox.root / "endpoints.yaml").read_text()


def test_an_id_that_was_set_by_hand_takes_the_place_of_the_reference(sandbox: Sandbox) -> None:
    sandbox.monkeypatch.setenv("HUB_PASSWORD", "s3cret-of-the-hub")
    sandbox.declare(item("chat", imageAuth="hub"), registries=[credential()])
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id("chat"), image={"authId": "auth-by-hand"})
    assert sandbox.run("drift").code == 2
    ran = sandbox.run("drift", "accept", "chat")
    assert ran.code == 0, ran.err
    text = (sandbox.root / "endpoints.yaml").read_text()
    assert ('"imageAuthId": "auth-by-hand"' in text, 'imageAuth"' in text) == (True, False)
    assert sandbox.plan().actions == {}
