"""An object that its users follow: a new one is made, they are updated, and the old one is deleted."""

import pytest

from tests.e2e.sandbox import Sandbox

from .test_references import changes, posts, robot
from .test_second_kind import credential, record
from .test_second_kind import password as password
from .toy import CREDENTIAL, ROBOT_TYPE, TYPE, Console

HUB = f"{TYPE}.hub"


@pytest.fixture(autouse=True)
def rotated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let credentials be rotated."""
    monkeypatch.setattr(CREDENTIAL, "creates_first", True)


@pytest.fixture
def used(sandbox: Sandbox, console: Console) -> Sandbox:
    """A credential with three users, declared with another password than it has."""
    declare(sandbox, "ada")
    sandbox.apply()
    declare(sandbox, "bob")
    return sandbox


def declare(sandbox: Sandbox, username: str) -> None:
    robots = [robot(name) for name in ("r1", "r2", "r3")]
    sandbox.declare(credentials=[credential(username=username)], robots=robots)


def credential_ids(console: Console) -> set[str]:
    return {one["credentialId"] for one in console.robots.values()}


def test_it_takes_one_line_of_the_plan(used: Sandbox, console: Console) -> None:
    """The followers have no lines of their own; JSON and --explain have all."""
    text = used.run("plan").out
    assert f"# {HUB} will be rotated" in text
    assert "# (rotated: 3 resources follow: r1, r2, r3)" in text
    assert "novita_robot" not in text
    assert "Plan: 1 to add, 3 to change, 1 to destroy." in text
    assert f"# {ROBOT_TYPE}.r1 will be updated in-place" in used.run("plan", "--explain").out
    found = changes(used.plan().document)
    assert found[HUB]["change"]["actions"] == ["create", "delete"]
    (field,) = found[f"{ROBOT_TYPE}.r1"]["fields"]
    assert (field["cause"], field["after_unknown"]) == ("follows", True)


def test_users_follow_before_the_old_one_is_deleted(used: Sandbox, console: Console) -> None:
    """No guard asks about it, because nothing is lost."""
    old = console.by_name("hub")["id"]
    begun = len(posts(used))
    applied = used.apply("--json")
    assert posts(used)[begun:] == ["credential/create", *["robot/update"] * 3, "credential/delete"]
    assert credential_ids(console) == {console.by_name("hub")["id"]} != {old}
    results = {one["address"]: one for one in applied.document["results"]}
    assert (results[HUB]["outcome"], results[HUB]["replaced_id"]) == ("done", old)
    assert list(record(used)["resources"]) == [HUB, *(f"{ROBOT_TYPE}.r{n}" for n in (1, 2, 3))]
    assert "No changes." in used.run("plan").out


def test_the_preview_is_in_that_order(used: Sandbox, console: Console) -> None:
    requests = used.run("preview", "--json").document
    paths = [one["url"].partition("/v1/")[2] for one in requests]
    assert paths == ["credential/create", *["robot/update"] * 3, "credential/delete"]


def test_the_old_one_stays_while_a_user_does_not_follow(used: Sandbox, console: Console) -> None:
    """The next run updates it, and then deletes the old one."""
    console.refused = {"/robot/update"}
    ran = used.run("apply", "--auto-approve", "--json")
    results = {one["address"]: one for one in ran.document["results"]}
    assert ran.code == 4
    assert results[HUB]["problem"]["code"] == "rotation-unfinished"
    assert f"{ROBOT_TYPE}.r1 was not updated, and it uses `hub`" in results[HUB]["problem"]["summary"]
    assert len(console.credentials) == 2
    console.refused = set()
    text = used.run("plan").out
    assert "follows a resource that is replaced" in text
    begun = len(posts(used))
    used.apply()
    assert posts(used)[begun:] == [*["robot/update"] * 3, "credential/delete"]
    assert len(console.credentials) == 1
    assert credential_ids(console) == set(console.credentials)
    assert "No changes." in used.run("plan").out


def test_a_delete_is_refused_while_others_use_it(used: Sandbox, console: Console) -> None:
    """The error names them; it is not repeated, because this run changed none of them."""
    (one, *_) = console.robots.values()
    console.robots["robot-x"] = {**one, "id": "robot-x", "name": "foreign"}
    ran = used.run("apply", "--auto-approve")
    assert ran.code == 4
    assert "`foreign`" in ran.err
    assert len(console.credentials) == 2
    console.robots.pop("robot-x")
    used.apply()
    assert len(console.credentials) == 1


def test_a_rotation_can_be_repeated_before_it_ends(used: Sandbox, console: Console) -> None:
    """Both old ones go when the users have the third."""
    console.refused = {"/robot/update"}
    assert used.run("apply", "--auto-approve").code == 4
    console.refused = set()
    declare(used, "eve")
    used.apply()
    assert [one["username"] for one in console.credentials.values()] == ["eve"]
    assert credential_ids(console) == set(console.credentials)


@pytest.mark.parametrize("option", ["--no-delete", "--no-replace", "--create-first"])
def test_options_about_replacements_leave_a_rotation_alone(
    used: Sandbox, console: Console, option: str
) -> None:
    """It loses nothing, and has an order of its own."""
    ran = used.apply(option)
    assert "not-" not in ran.err
    assert credential_ids(console) == set(console.credentials) == {console.by_name("hub")["id"]}


def test_an_interrupt_leaves_the_rest_to_the_next_run(used: Sandbox, console: Console) -> None:
    """The new one is recorded at once, so that no third one is made."""
    console.refused = {"/robot/update", "/credential/delete"}
    assert used.run("apply", "--auto-approve").code == 4
    assert len(console.credentials) == 2
    console.refused = set()
    ran = used.run("apply", "--resume", "--auto-approve")
    assert len(console.credentials) == 1, (ran.out, ran.err)
    assert credential_ids(console) == set(console.credentials)
    assert "No changes." in used.run("plan").out
