"""A changed password is a rotation: save the new one, let the endpoints follow, delete the old one."""

from typing import Any

import pytest

from reconciler.simulator import Fault
from tests.e2e.sandbox import CommandResult, Sandbox, item

from .credentials import TYPE, auths, credential, edit, recorded, save

NEW = "n3w-password-of-the-hub"
NAMES = ("chat", "embed", "llm")


def declare(sandbox: Sandbox, **fields: Any) -> None:
    users = [item(name, imageAuth="hub") for name in NAMES]
    sandbox.declare(*users, item("public"), registries=[credential(**fields)])


@pytest.fixture
def team(sandbox: Sandbox) -> Sandbox:
    """Three endpoints with one credential, and one without."""
    declare(sandbox)
    sandbox.apply()
    sandbox.monkeypatch.setenv("HUB_PASSWORD", NEW)
    return sandbox


def used(sandbox: Sandbox) -> dict[str, str]:
    """Return the credential of each endpoint."""
    return {name: one["image"]["authId"] for name, one in sandbox.live().items()}


def writes(sandbox: Sandbox) -> list[str]:
    return [one.operation for one in sandbox.sent("auth_save", "auth_delete", "create", "update", "delete")]


def require_rotated(sandbox: Sandbox, password: str = NEW) -> None:
    """There is one credential, with the new password, and the endpoints use it."""
    (only,) = auths(sandbox)
    assert only["password"] == password
    assert used(sandbox) == {**dict.fromkeys(NAMES, only["id"]), "public": ""}
    assert recorded(sandbox) == {f"{TYPE}.hub": only["id"]}
    assert "No changes." in sandbox.run("plan").out


def test_the_order_of_a_creation_and_of_a_destroy(sandbox: Sandbox) -> None:
    """The credential comes before the endpoints that name it, and goes after them."""
    declare(sandbox)
    plan = sandbox.plan()
    assert plan.actions == {**dict.fromkeys((*NAMES, "public"), "create"), "hub": "create"}
    sandbox.apply()
    (only,) = auths(sandbox)
    assert used(sandbox) == {**dict.fromkeys(NAMES, only["id"]), "public": ""}
    assert writes(sandbox)[0] == "auth_save"
    assert "No changes." in sandbox.run("plan").out
    sandbox.declare()
    sandbox.apply("--allow-delete", "5")
    assert writes(sandbox)[-1] == "auth_delete"
    assert auths(sandbox) == []


@pytest.mark.parametrize("change", ["password", "username"])
def test_the_endpoints_follow(team: Sandbox, change: str) -> None:
    """Save, update each user, delete; the plan says so in one line, and needs no consent."""
    if change == "username":
        team.monkeypatch.setenv("HUB_PASSWORD", auths(team)[0]["password"])
        declare(team, username="bob")
    plan = team.plan()
    assert plan.code == 2
    assert plan.actions == {**dict.fromkeys(NAMES, "update"), "hub": "replace"}
    text = team.run("plan").out
    assert "rotated: 3 endpoints follow" in text
    assert NEW not in text + plan.out
    applied = team.apply()
    assert NEW not in applied.out + applied.err
    assert writes(team)[5:] == ["auth_save", "update", "update", "update", "auth_delete"]
    require_rotated(team, auths(team)[0]["password"])


@pytest.mark.parametrize(
    ("operation", "nth"), [("auth_save", 1), ("update", 1), ("update", 2), ("update", 3), ("auth_delete", 1)]
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_rotation_goes_on(team: Sandbox, operation: str, nth: int, when: str) -> None:
    """The next run does what is left; at no time does an endpoint have a deleted credential."""
    team.killed(operation, when=when, nth=nth)
    known = {one["id"] for one in auths(team)}
    assert {auth for auth in used(team).values() if auth} <= known
    team.apply()
    require_rotated(team)


def test_an_endpoint_that_cannot_follow_keeps_the_old_one(team: Sandbox) -> None:
    """The old credential stays until the endpoint has the new one."""
    team.sim.faults.add(Fault(operation="update", kind="status", status=400, reason="VALIDATOR_PARAM"))
    ran = team.run("apply", "--auto-approve")
    assert ran.code == 4
    assert len(auths(team)) == 2
    assert "auth_delete" not in writes(team)
    team.apply()
    require_rotated(team)


def test_the_account_may_count_it_as_used_for_a_while(team: Sandbox) -> None:
    """Novita refuses the delete until it has noticed that the endpoints let go of it."""
    team.sim.world.switch(in_use_lag_seconds=0.5)
    team.apply()
    require_rotated(team)


def test_so_may_it_after_a_killed_rotation(team: Sandbox) -> None:
    """The next run waits as well, although it has changed none of the endpoints itself."""
    team.killed("auth_delete", when="before")
    team.sim.world.switch(in_use_lag_seconds=2.0)
    team.apply()
    require_rotated(team)


def test_one_that_is_used_by_others_stays(team: Sandbox) -> None:
    """The refusal names who uses it, managed or not, and the next run deletes it when it is free."""
    old = auths(team)[0]["id"]
    stranger = team.sim.world.console_create(name="stranger", appName="stranger", image={"authId": old})
    ran = team.run("apply", "--auto-approve")
    output = " ".join((ran.out + ran.err).split())
    assert ran.code == 4, output
    assert "`stranger`" in output
    assert len(auths(team)) == 2
    team.sim.world.console_delete(stranger)
    team.apply()
    require_rotated(team)


def test_drift_of_a_password_is_seen_and_undone(sandbox: Sandbox) -> None:
    """By the fingerprint; reverting it is a rotation back to the declared password."""
    declare(sandbox)
    sandbox.apply()
    edit(sandbox, auths(sandbox)[0]["id"], password="changed-by-somebody")
    ran: CommandResult = sandbox.run("drift", "--json")
    assert ran.code == 2
    (drift,) = ran.document["resource_drift"]
    assert drift["address"] == f"{TYPE}.hub"
    assert "changed-by-somebody" not in ran.out + sandbox.run("drift").out
    accepted = sandbox.run("drift", "accept", f"{TYPE}.hub")
    assert "changed-by-somebody" not in accepted.out + accepted.err
    sandbox.apply()
    require_rotated(sandbox, "s3cret-of-the-hub")


def test_drift_of_an_endpoint_is_seen_and_undone(sandbox: Sandbox) -> None:
    """Somebody gave it another credential."""
    declare(sandbox)
    sandbox.apply()
    other = save(sandbox, name="other", username="eve", password="pw-of-eve")
    sandbox.sim.world.console_update(sandbox.id("chat"), image={"authId": other})
    assert sandbox.run("drift").code == 2
    assert sandbox.plan().actions == {"chat": "update"}
    sandbox.apply()
    assert used(sandbox)["chat"] == recorded(sandbox)[f"{TYPE}.hub"]


def test_every_report_says_who_follows_in_one_line(team: Sandbox) -> None:
    """Markdown and HTML show the rotation with its followers; of an apply, only those that failed."""
    team.run("plan", "--markdown-into", "plan.md", "--html-into", "plan.html")
    for page in ("plan.md", "plan.html"):
        text = (team.root / page).read_text()
        assert text.lower().count("rotated: 3 endpoints follow") == 1, page
    assert "| <code>&#126;</code> |" not in (team.root / "plan.md").read_text()
    team.sim.faults.add(Fault(operation="update", status=400))
    ran = team.run("apply", "--auto-approve", "--markdown-into", "apply.md", "--html-into", "apply.html")
    assert ran.code == 4
    rows = (team.root / "apply.md").read_text()
    assert "rotated: 2 endpoints follow" in rows
    assert rows.count("| <code>&#126;</code> |") == 1
    assert "rotated: 2 endpoints follow" in (team.root / "apply.html").read_text().lower()
