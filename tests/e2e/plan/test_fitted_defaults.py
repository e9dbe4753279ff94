"""The default of `requestTimeout` follows the limit of the account, and stays where it is."""

from typing import Any

import pytest

from tests.e2e.sandbox import Sandbox, item


def with_limit(sandbox: Sandbox, **limits: int) -> None:
    known = dict(sandbox.sim.world.profile.limits)
    sandbox.sim.world.switch(limits={**known, **limits})


def timeout_of(sandbox: Sandbox) -> int:
    (made,) = sandbox.sim.world.endpoints
    return int(made["workerConfig"]["requestTimeout"])


def test_d9_a_default_beyond_the_limit_is_fitted(sandbox: Sandbox) -> None:
    """The plan shows what is sent, preview prints it, and afterwards nothing differs."""
    with_limit(sandbox, maxRequestTimeout=1800)
    sandbox.declare(item("chat"))
    ran = sandbox.plan()
    (note,) = ran.document["problems"]
    assert (ran.code, note["code"], note["severity"]) == (2, "default-fitted", "note")
    assert "the default requestTimeout 3600" in note["summary"]
    assert "1800 is sent for `chat`" in note["summary"]
    (request,) = sandbox.run("preview", "--json").document
    assert request["body"]["endpoint"]["workerConfig"]["requestTimeout"] == 1800
    sandbox.apply()
    assert timeout_of(sandbox) == 1800
    again = sandbox.plan()
    assert (again.code, again.document["problems"]) == (0, [])
    assert sandbox.run("drift").code == 0
    sandbox.declare(item("chat", replicas=2))
    ran = sandbox.plan()
    assert (ran.actions, ran.document["problems"]) == ({"chat": "scale"}, [])
    sandbox.apply()
    assert (timeout_of(sandbox), sandbox.plan().code) == (1800, 0)


def test_d9_without_the_limits_nothing_flips(sandbox: Sandbox) -> None:
    """A value that was fitted stays if the limits cannot be read; a new endpoint gets the default."""
    with_limit(sandbox, maxRequestTimeout=1800)
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.sim.world.switch(limit_offered=False)
    assert sandbox.plan().code == 0
    sandbox.apply()
    assert timeout_of(sandbox) == 1800
    sandbox.sim.world.switch(limit_offered=True)
    with_limit(sandbox, maxRequestTimeout=3600)
    assert sandbox.plan().actions == {"chat": "update"}
    sandbox.apply()
    assert (timeout_of(sandbox), sandbox.plan().code) == (3600, 0)


def test_d9_without_the_limits_a_create_has_the_default(sandbox: Sandbox) -> None:
    sandbox.sim.world.switch(limit_offered=False)
    sandbox.declare(item("chat"))
    assert sandbox.plan().codes == ["limits-unknown"]
    sandbox.apply()
    assert (timeout_of(sandbox), sandbox.plan().code) == (3600, 0)


@pytest.mark.parametrize(("declared", "code"), [(3600, "limit"), (60, None)])
def test_d9_a_declared_value_stays(sandbox: Sandbox, declared: int, code: str | None) -> None:
    """Beyond the limit it is a warning, as before."""
    with_limit(sandbox, maxRequestTimeout=1800)
    sandbox.declare(item("chat", requestTimeout=declared))
    assert sandbox.plan().codes == ([code] if code else [])
    sandbox.apply()
    assert (timeout_of(sandbox), sandbox.plan().code) == (declared, 0)


def test_d9_a_value_that_is_no_longer_declared(sandbox: Sandbox) -> None:
    """It becomes the fitted default."""
    with_limit(sandbox, maxRequestTimeout=1800)
    sandbox.declare(item("chat", requestTimeout=60))
    sandbox.apply()
    sandbox.declare(item("chat"))
    sandbox.apply()
    assert (timeout_of(sandbox), sandbox.plan().code) == (1800, 0)


def test_d9_deploy_and_a_saved_plan(sandbox: Sandbox) -> None:
    with_limit(sandbox, maxRequestTimeout=1800)
    sandbox.declare(item("chat"))
    assert sandbox.run("plan", "--out", "a.plan").code == 0
    assert sandbox.run("apply", "a.plan").code == 0
    ran = sandbox.run("deploy", "by-hand", "--spec", "small", "--image", "x:1", "--yes")
    assert ran.code == 0
    made: list[Any] = sandbox.sim.world.endpoints
    assert {one["workerConfig"]["requestTimeout"] for one in made} == {1800}


def test_a_rollback_writes_no_default_that_was_fitted(sandbox: Sandbox) -> None:
    """The value that the limit gave belongs to no version, so the YAML declares the version already."""
    with_limit(sandbox, maxRequestTimeout=1800)
    sandbox.declare(item("chat", image="chat:1"))
    sandbox.apply()
    sandbox.declare(item("chat", image="chat:2"))
    sandbox.apply()
    sandbox.declare(item("chat", image="chat:1"))
    ran = sandbox.run("rollback", "chat", "1", "--auto-approve")
    assert (ran.code, "the next apply undoes" in ran.out + ran.err) == (0, False)
    ran = sandbox.run("rollback", "chat", "1", "--auto-approve", "--write")
    assert "The YAML declares that version already." in ran.out + ran.err
    assert "requestTimeout" not in (sandbox.root / "endpoints.yaml").read_text()
