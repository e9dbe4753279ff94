"""A rollback of an endpoint after the credential that it names was rotated."""

import pytest

from tests.e2e.sandbox import Sandbox, item

from .credentials import auths, credential


@pytest.fixture
def rotated(sandbox: Sandbox) -> Sandbox:
    """An endpoint with two versions, whose credential has another ID than in the first one."""
    sandbox.monkeypatch.setenv("HUB_PASSWORD", "s3cret-of-the-hub")
    sandbox.declare(item("chat", imageAuth="hub", maxReplicas=1), registries=[credential()])
    sandbox.apply()
    sandbox.monkeypatch.setenv("HUB_PASSWORD", "another-secret-of-it")
    sandbox.declare(item("chat", imageAuth="hub", maxReplicas=2), registries=[credential()])
    sandbox.apply()
    return sandbox


def test_the_version_follows_the_name(rotated: Sandbox) -> None:
    """An ID that was deleted must not come back."""
    (one,) = auths(rotated)
    ran = rotated.run("rollback", "chat", "1", "--auto-approve")
    assert ran.code == 0, ran.err
    chat = rotated.live()["chat"]
    assert (chat["image"]["authId"], chat["workerConfig"]["maxNum"]) == (one["id"], 1)


def test_the_yaml_keeps_the_name(rotated: Sandbox) -> None:
    ran = rotated.run("rollback", "chat", "1", "--write", "--auto-approve")
    assert ran.code == 0, ran.err
    text = (rotated.root / "endpoints.yaml").read_text()
    assert ('"imageAuth": "hub"' in text, "imageAuthId" in text) == (True, False)
    assert rotated.plan().code == 0
