"""A credential is deleted after its endpoints, although Novita needs a while to notice that they are gone."""

from tests.e2e.sandbox import Sandbox, item

from .credentials import auths, credential


def declare(sandbox: Sandbox) -> None:
    sandbox.monkeypatch.setenv("HUB_PASSWORD", "s3cret-of-the-hub")
    sandbox.declare(item("chat", imageAuth="hub"), registries=[credential()])
    sandbox.apply()


def test_the_delete_waits_for_the_end_of_its_user(sandbox: Sandbox) -> None:
    declare(sandbox)
    sandbox.sim.world.switch(in_use_lag_seconds=0.8)
    sandbox.declare()
    ran = sandbox.run("apply", "--auto-approve", "--allow-delete", "2")
    assert ran.code == 0, ran.err
    assert "Novita still counts it as used" in ran.err
    assert auths(sandbox) == []


def test_a_foreign_user_is_named_at_once(sandbox: Sandbox) -> None:
    """Nothing of this run will free the credential."""
    declare(sandbox)
    (one,) = auths(sandbox)
    sandbox.sim.world.console_create(name="foreign", image={"authId": one["id"]})
    sandbox.declare()
    ran = sandbox.run("apply", "--auto-approve", "--allow-delete", "2")
    assert ran.code == 4
    assert "it is used by `foreign`" in ran.out + ran.err
    assert auths(sandbox) == [one]
