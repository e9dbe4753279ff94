"""An endpoint that a run is not about may lack its reference or its spec, or await a create."""

from typing import Any

import pytest

from tests.e2e.sandbox import Sandbox, item

BROKEN: dict[str, dict[str, Any]] = {
    "reference": {"env": {"TOKEN": "${env:NOT_SET}"}},
    "file": {"env": {"TOKEN": "${file:nowhere.txt}"}},
    "spec": {"specName": "nowhere"},
    "image": {"image": "${env:NOT_SET}"},
    "field": {"replicas": "many"},
    "unknown key": {"replicaz": 2},
    "renamed": {"renamedFrom": "old", "env": {"TOKEN": "${env:NOT_SET}"}},
}
ABOUT_CHAT = (("--target", "chat"), ("--exclude", "embed"), ("--target", "c*", "--exclude", "embed"))


@pytest.fixture
def two(sandbox: Sandbox) -> Sandbox:
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    return sandbox


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("options", ABOUT_CHAT)
def test_a_run_about_others(two: Sandbox, how: str, options: tuple[str, ...]) -> None:
    """plan and apply perform what they are about, and touch nothing else."""
    before = two.live()["embed"]
    two.declare(item("chat", replicas=2), item("embed", **BROKEN[how]))
    assert two.run("plan").code == 1, "as a whole it cannot be judged"
    planned = two.plan(*options)
    assert (planned.code, planned.actions) == (2, {"chat": "scale"})
    two.apply(*options)
    assert two.live()["chat"]["workerConfig"]["maxNum"] == 2
    assert two.live()["embed"] == before
    assert set(two.inventory) == {"chat", "embed"}
    assert two.run("plan", "--target", "embed").code == 1, "here it is concerned"


@pytest.mark.parametrize("how", BROKEN)
def test_a_saved_plan(two: Sandbox, how: str) -> None:
    """What it changes is concerned, and nothing else."""
    two.declare(item("chat", replicas=2), item("embed"))
    assert two.run("plan", "--out", "the.plan").code == 0
    two.declare(item("chat", replicas=2), item("embed", **BROKEN[how]))
    ran = two.run("apply", "the.plan")
    assert ran.code == 0, ran.err
    assert two.live()["chat"]["workerConfig"]["maxNum"] == 2


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("words", [("destroy", "--yes"), ("destroy", "--yes", "--target", "embed")])
def test_destroy_needs_nothing_but_names(two: Sandbox, how: str, words: tuple[str, ...]) -> None:
    """Not even of what it deletes."""
    two.declare(item("chat"), item("embed", **BROKEN[how]), defaults={"env": {"ALL": "${env:NOT_SET}"}})
    two.write("specs.yaml", {"specs": [{"name": "small"}]})
    ran = two.run(*words)
    assert ran.code == 0, ran.err
    assert set(two.live()) == ({"chat"} if "--target" in words else set())


def test_delete_by_hand_and_plan_destroy(two: Sandbox) -> None:
    two.declare(item("chat"), item("embed", specName="nowhere"))
    assert two.run("plan", "--destroy").code == 0
    assert two.run("scale", "chat", "2", "--yes").code == 0
    assert two.run("delete", "embed", "--yes").code == 0
    assert set(two.live()) == {"chat"}


def test_protection_is_read_all_the_same(two: Sandbox) -> None:
    """An endpoint with an error may be protected."""
    two.declare(item("chat"), item("embed", specName="nowhere", lifecycle={"preventDestroy": True}))
    assert two.run("destroy", "--yes").code == 3
    assert set(two.live()) == {"chat", "embed"}


def test_a_rename_that_cannot_be_judged_is_no_removal(two: Sandbox) -> None:
    """The old name is that of an endpoint which is still declared, under another one."""
    two.declare(item("chat"), item("new", renamedFrom="embed", env={"T": "${env:NOT_SET}"}))
    assert two.plan("--target", "embed").actions == {}


def test_a_default_that_only_others_use(two: Sandbox) -> None:
    """The endpoint that is concerned says it otherwise."""
    two.declare(
        item("chat", replicas=2, env={"TOKEN": "mine"}),
        item("embed"),
        item("rerank"),
        defaults={"env": {"TOKEN": "${env:NOT_SET}"}},
    )
    assert two.plan("--target", "chat").actions == {"chat": "update"}
    assert two.run("plan", "--target", "embed").code == 1


def test_syntax_stops_everything(two: Sandbox) -> None:
    """Of a file that cannot be read nobody knows the names."""
    two.write("endpoints.yaml", "endpoints:\n  - endpoint: chat\n   image: x:1\n")
    for words in (("plan", "--target", "chat"), ("destroy", "--yes")):
        assert two.run(*words).code == 1


@pytest.mark.parametrize("options", ABOUT_CHAT)
def test_an_unresolved_create_of_another(sandbox: Sandbox, options: tuple[str, ...]) -> None:
    """Exit 5 waits for a person, and for who is about that endpoint."""
    sandbox.declare(item("embed"))
    sandbox.killed("create")
    sandbox.sim.world.console_create(name="embed", appName="another")
    sandbox.declare(item("chat"), item("embed"))
    assert sandbox.run("plan").code == 5
    assert sandbox.plan(*options).actions == {"chat": "create"}
    sandbox.apply(*options)
    assert "chat" in sandbox.inventory
    assert sandbox.run("deploy", "hand", "--image", "a/b:1", "--spec", "small", "--yes").code == 0
    assert sandbox.run("plan").code == 5
