"""`--replace`, `--no-replace` and `restart`: replacements that the user asks for, or refuses."""

import pytest

from tests.e2e.sandbox import Sandbox, item


@pytest.fixture
def chat(sandbox: Sandbox) -> Sandbox:
    """Two endpoints that are as declared."""
    sandbox.declare(item("chat", env={"A": "1"}), item("embed"))
    sandbox.apply()
    return sandbox


def test_an_endpoint_is_replaced_on_request(chat: Sandbox) -> None:
    """It gets a new ID and the same fields; the others are left alone."""
    old, other = chat.id("chat"), chat.id("embed")
    ran = chat.run("plan", "--replace", "chat", "--explain")
    assert "# novita_endpoint.chat will be replaced, as requested" in ran.out
    assert "Plan: 1 to add, 0 to change, 1 to destroy." in ran.out
    assert "a replacement was requested -> replace" in ran.out
    document = chat.plan("--replace", "chat").document
    (change,) = [one for one in document["resource_changes"] if one["action"] != "no-op"]
    assert (change["change"]["actions"], change["change"]["replace_paths"]) == (["delete", "create"], [])
    before = chat.live()["chat"]
    chat.apply("--replace", "chat")
    after = chat.live()["chat"]
    new = dict.fromkeys(("id", "createdAt", "updatedAt"))
    assert {**after, **new} == {**before, **new}
    assert (after["id"] != old, chat.id("embed")) == (True, other)
    assert chat.plan().code == 0


def test_a_replacement_takes_pending_changes_along(chat: Sandbox) -> None:
    """An update or a scale becomes a replacement."""
    chat.declare(item("chat", env={"A": "1"}, replicas=2), item("embed", image="ubuntu:24.04"))
    ran = chat.plan("--replace", "chat", "--replace", "embed")
    assert ran.actions == {"chat": "replace", "embed": "replace"}
    chat.apply("--replace", "chat", "--replace", "embed")
    assert chat.live()["chat"]["workerConfig"]["minNum"] == 2
    assert chat.plan().code == 0


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("--replace", "chta"), 1, "`chta` cannot be replaced: the plan has no such endpoint"),
        (("--replace", "chta"), 1, "Did you mean `chat`?"),
        (("--replace", "old"), 1, "`old` cannot be replaced: the plan is to delete it"),
        (("--replace", "new"), 0, "new"),
        (("--replace", "chat", "--no-delete"), 64, "--replace cannot be combined"),
        (("--replace", "chat", "--no-replace"), 64, "--replace cannot be combined"),
    ],
)
def test_what_cannot_be_replaced(chat: Sandbox, args: tuple[str, ...], code: int, says: str) -> None:
    """A name that is not known, one that is deleted; a new one is created anyway."""
    chat.declare(item("chat", env={"A": "1"}), item("embed"), item("old"))
    chat.apply()
    chat.declare(item("chat", env={"A": "1"}), item("embed"), item("new"))
    ran = chat.run("plan", *args)
    assert (ran.code, says in ran.err + ran.out) == (code, True)


def test_guards_hold(chat: Sandbox) -> None:
    """A protected endpoint is not replaced, whoever asks."""
    chat.declare(item("chat", env={"A": "1"}, lifecycle={"preventDestroy": True}), item("embed"))
    chat.apply()
    ran = chat.run("apply", "--replace", "chat", "--yes", "--json")
    assert (ran.code, ran.codes) == (3, ["prevent-destroy"])
    assert chat.run("restart", "chat", "--yes").code == 3


def test_no_replace_refuses_a_replacement(chat: Sandbox) -> None:
    """In plan and in apply; an update passes."""
    chat.declare(item("chat", env={"A": "1"}, specName="large"), item("embed", replicas=2))
    made = chat.id("chat")
    for command in (["plan", "--json"], ["apply", "--yes", "--json"]):
        ran = chat.run(*command, "--no-replace")
        assert (ran.code, ran.codes) == (3, ["would-replace"])
        assert ran.actions == {"chat": "replace", "embed": "scale"}
    assert chat.id("chat") == made
    chat.apply("--no-replace", "--target", "embed")


def test_a_saved_plan_remembers_the_request(chat: Sandbox) -> None:
    """It is applied once, and is out of date then."""
    old = chat.id("chat")
    assert chat.run("plan", "--replace", "chat", "--out", "the.plan").code == 0
    assert chat.run("apply", "the.plan").code == 0
    new = chat.id("chat")
    assert new != old
    assert chat.run("apply", "the.plan").code == 6
    assert chat.id("chat") == new


def test_an_interrupted_replacement_is_resumed(chat: Sandbox) -> None:
    """One that was made is not made again."""
    chat.killed("delete", command=("apply", "--yes", "--replace", "chat"))
    assert set(chat.live()) == {"embed"}
    ran = chat.run("apply", "--resume")
    assert ran.code == 0, ran.err
    made = chat.id("chat")
    both = ("apply", "--yes", "--replace", "chat", "--replace", "embed", "--parallelism", "1")
    chat.killed("create", command=both)
    ran = chat.run("apply", "--resume")
    assert ran.code == 0, ran.err
    assert made not in {one["id"] for one in chat.live().values()}
    assert len(chat.sim.world.endpoints) == 2
    assert chat.plan().code == 0


def test_a_restart_changes_nothing_else(chat: Sandbox) -> None:
    """It asks, replaces the endpoint, and refuses if the YAML has other changes of it."""
    old = chat.id("chat")
    ran = chat.run("restart", "chat", typed="no\n")
    assert (ran.code, chat.id("chat")) == (1, old)
    chat.declare(item("chat", env={"A": "1"}), item("embed", replicas=2))
    ran = chat.run("restart", "chat", typed="yes\n")
    assert ran.code == 0, ran.err
    assert chat.id("chat") != old
    assert f"replaced: the ID was {old}" in ran.out
    assert chat.plan().actions == {"embed": "scale"}
    ran = chat.run("restart", "embed", "--yes")
    assert (ran.code, "`embed` has changes that are not applied: " in ran.err) == (1, True)
    assert "reconciler apply --target embed" in ran.err
    assert chat.run("restart", "nobody", "--yes").code == 1
    assert chat.run("restart", "chat", "--target", "x").code == 64


def test_an_endpoint_that_is_not_selected(chat: Sandbox) -> None:
    """It exists, so no other name is suggested."""
    ran = chat.run("plan", "--target", "emb*", "--replace", "chat")
    assert ran.code == 1
    assert "`chat` cannot be replaced: --target or --exclude leaves it out" in ran.err
    assert "--target chat" in ran.err
    assert "id you mean" not in ran.err
