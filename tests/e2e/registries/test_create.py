"""Registry credentials are saved once and recorded by their IDs, whatever Novita answers."""

import pytest

from reconciler.simulator import Fault
from tests.e2e.sandbox import Sandbox, item

from .credentials import PASSWORD, auths, credential, delete, recorded, save


def matches_account(sandbox: Sandbox) -> bool:
    return sorted(recorded(sandbox).values()) == sorted(one["id"] for one in auths(sandbox))


@pytest.mark.parametrize("answer", ["empty", "id"])
def test_one_is_saved_and_recorded(sandbox: Sandbox, answer: str) -> None:
    """The ID comes from the answer or from the listing; the next plan is empty."""
    sandbox.sim.world.switch(auth_save_answer=answer)
    sandbox.declare(item("chat"), registries=[credential(registry="ghcr.io"), credential("other")])
    assert sandbox.plan().actions == {"chat": "create", "hub": "create", "other": "create"}
    ran = sandbox.apply()
    assert "3 added" in ran.out
    assert recorded(sandbox).keys() == {"novita_registry.hub", "novita_registry.other"}
    assert matches_account(sandbox)
    assert auths(sandbox)[0]["password"] == PASSWORD
    assert "No changes." in sandbox.run("plan").out
    assert len(sandbox.sent("auth_save")) == 2


def test_the_listing_may_be_late(sandbox: Sandbox) -> None:
    """An empty answer says that it was saved: it is looked for, and never sent again."""
    sandbox.sim.world.switch(reference_lag_seconds=0.6)
    sandbox.declare(registries=[credential()])
    sandbox.apply()
    assert matches_account(sandbox)
    assert len(sandbox.sent("auth_save")) == 1


def test_namesakes_of_others_are_left_alone(sandbox: Sandbox) -> None:
    """Names are not unique: the new ID tells them apart, now and in later plans."""
    foreign = save(sandbox, username="bob", password="pw-of-bob")
    sandbox.declare(registries=[credential()])
    sandbox.apply()
    assert recorded(sandbox)["novita_registry.hub"] != foreign
    assert len(auths(sandbox)) == 2
    assert "No changes." in sandbox.run("plan").out
    sandbox.declare()
    sandbox.apply("--allow-delete", "1")
    assert [one["id"] for one in auths(sandbox)] == [foreign]


def test_the_one_that_is_declared_may_exist(sandbox: Sandbox) -> None:
    """One of that name, user and password is recorded, and a second one is not saved."""
    existing = save(sandbox)
    save(sandbox, username="bob", password="pw-of-bob")
    sandbox.declare(registries=[credential()])
    assert sandbox.plan().actions == {"hub": "adopt"}
    sandbox.apply()
    assert recorded(sandbox) == {"novita_registry.hub": existing}
    assert sandbox.sent("auth_save") == []


def test_a_lost_answer_is_resolved_by_the_listing(sandbox: Sandbox) -> None:
    """The new one of that name, user and password was saved by the call."""
    sandbox.sim.faults.add(Fault(operation="auth_save", kind="lost_answer"))
    sandbox.declare(registries=[credential()])
    sandbox.apply()
    assert matches_account(sandbox)
    assert len(auths(sandbox)) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_run_is_resolved_by_the_next(sandbox: Sandbox, when: str) -> None:
    """Whether or not the call was carried out, one credential is there in the end."""
    sandbox.declare(registries=[credential()])
    sandbox.killed("auth_save", when=when)
    assert PASSWORD.encode() not in b"".join(sandbox.files().values())
    sandbox.apply()
    assert matches_account(sandbox)
    assert len(auths(sandbox)) == 1
    assert "No changes." in sandbox.run("plan").out


def test_two_new_ones_are_for_the_user_to_tell_apart(sandbox: Sandbox) -> None:
    """The run exits with 5 and names both IDs and the next command, which settles it."""
    sandbox.sim.faults.after("auth_save", lambda _request: save(sandbox))
    sandbox.declare(registries=[credential()])
    ran = sandbox.run("apply", "--auto-approve")
    first, second = [one["id"] for one in auths(sandbox)]
    assert ran.code == 5
    output = " ".join((ran.out + ran.err).split())
    assert "2 new registry credentials have that name" in output
    assert first in output
    assert second in output
    settle = f"reconciler recover novita_registry.hub --id {min(first, second)}"
    assert settle in output
    assert sandbox.run("plan").code == 5
    recovered = sandbox.run(*settle.split()[1:])
    assert recovered.code == 0, recovered.err
    assert recorded(sandbox) == {"novita_registry.hub": min(first, second)}
    delete(sandbox, max(first, second))
    assert "No changes." in sandbox.run("plan").out


def test_what_was_not_saved_can_be_said_too(sandbox: Sandbox) -> None:
    """With --none the create is closed, and the next apply saves one."""
    sandbox.sim.faults.after("auth_save", lambda _request: save(sandbox))
    sandbox.declare(registries=[credential()])
    sandbox.run("apply", "--auto-approve")
    assert sandbox.run("recover", "novita_registry.hub", "--none").code == 0
    for one in auths(sandbox):
        delete(sandbox, one["id"])
    sandbox.apply()
    assert matches_account(sandbox)


def test_a_late_listing_does_not_hide_what_a_killed_run_saved(sandbox: Sandbox) -> None:
    """The next apply waits for the settling time, before it takes a create as not done."""
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 1.5}})
    sandbox.sim.world.switch(reference_lag_seconds=0.7)
    sandbox.declare(registries=[credential()])
    sandbox.killed("auth_save", when="after")
    assert "creates whose outcome is unknown: novita_registry.hub" in sandbox.run("doctor").out
    sandbox.apply()
    assert matches_account(sandbox)
    assert len(auths(sandbox)) == 1
