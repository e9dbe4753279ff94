"""`deploy --image-auth NAME` and `update` of endpoints that refer to credentials and storages by name."""

from tests.e2e.sandbox import CommandResult, Sandbox, item
from tests.e2e.storages.support import live as live_storages
from tests.e2e.storages.support import storage

from .credentials import auths, credential, save


def deploy(sandbox: Sandbox, credential_name: str) -> CommandResult:
    args = ("--image", "ghcr.io/acme/chat:1", "--spec", "small", "--image-auth", credential_name, "--yes")
    return sandbox.run("deploy", "chat", *args)


def test_a_recorded_name_stands_for_its_id(sandbox: Sandbox) -> None:
    """Also if the files do not declare it any more, and a rotation names who still uses the old one."""
    sandbox.declare(registries=[credential()])
    sandbox.apply()
    (one,) = auths(sandbox)
    assert deploy(sandbox, "hub").code == 0
    assert sandbox.live()["chat"]["image"]["authId"] == one["id"]
    sandbox.monkeypatch.setenv("HUB_PASSWORD", "another-secret-of-it")
    assert "`chat` uses novita_registry.hub" in sandbox.run("plan").err


def test_any_other_text_is_an_id(sandbox: Sandbox) -> None:
    auth = save(sandbox)
    assert deploy(sandbox, auth).code == 0
    assert sandbox.live()["chat"]["image"]["authId"] == auth


def test_a_declared_credential_must_exist(sandbox: Sandbox) -> None:
    """The error names the command that creates it, which works as printed."""
    sandbox.declare(registries=[credential()])
    ran = deploy(sandbox, "hub")
    assert (ran.code, sandbox.live()) == (1, {})
    assert "`chat` refers to novita_registry.hub, which was not applied yet" in ran.err
    assert "reconciler apply --target novita_registry.hub" in ran.err
    assert sandbox.run("apply", "--target", "novita_registry.hub", "--yes").code == 0
    assert deploy(sandbox, "hub").code == 0


def test_an_update_keeps_what_the_endpoint_refers_to(sandbox: Sandbox) -> None:
    """The mount and the credential stay, and no note says that the next apply changes them back."""
    mount = {"type": "network", "name": "weights", "mountPath": "/weights"}
    chat = item("chat", imageAuth="hub", storage=[mount])
    sandbox.declare(chat, registries=[credential()], storages=[storage()])
    sandbox.apply()
    ran = sandbox.run("update", "chat", "--replicas", "2", "--yes")
    assert ran.code == 0, ran.err
    after = sandbox.live()["chat"]
    assert [one["id"] for one in after["volumeMounts"]] == [live_storages(sandbox)["weights"]["storageId"]]
    assert after["image"]["authId"] == auths(sandbox)[0]["id"]
    assert "weights" not in ran.err
    assert "imageAuth" not in ran.err
    sandbox.declare({**chat, "replicas": 2}, registries=[credential()], storages=[storage()])
    assert sandbox.plan().code == 0
