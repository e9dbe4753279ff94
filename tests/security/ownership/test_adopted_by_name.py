"""What was only found by its name may be somebody else's: its first delete or replace asks."""

import shutil
from typing import Any

import pytest

from tests.e2e.sandbox import Sandbox, item


@pytest.fixture
def adopted(sandbox: Sandbox) -> Sandbox:
    """Repository B: it declares an equal endpoint that repository A made."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    shutil.rmtree(sandbox.root / "state")
    ran = sandbox.apply()
    assert "were not created from this inventory" in ran.err
    assert sandbox.inventory["chat"]["adopted"] is True
    return sandbox


def asks(sandbox: Sandbox, *words: str, names: str = "`chat`") -> None:
    before, writes = sandbox.live(), len(sandbox.sent())
    ran = sandbox.run(*words)
    assert ran.code == 3, ran.err + ran.out
    assert names in ran.err
    assert "--allow-adopted" in ran.err
    assert "Plan: " in ran.out
    assert (sandbox.live(), len(sandbox.sent())) == (before, writes)


REMOVED: dict[str, Any] = {"removed": [{"endpoint": "chat"}]}


def test_a_removal_asks_and_passes_with_the_flag(adopted: Sandbox) -> None:
    """A lost map stays harmless: the message names the command that goes on."""
    adopted.declare(item("embed"))
    asks(adopted, "plan")
    asks(adopted, "apply", "--yes")
    asks(adopted, "apply", "--yes", "--allow-delete", "1")
    assert "reconciler apply --allow-adopted" in adopted.run("apply", "--yes").err
    assert "reconciler state rm chat" in adopted.run("apply", "--yes").err
    adopted.apply("--allow-adopted")
    assert set(adopted.live()) == {"embed"}


@pytest.mark.parametrize(
    ("declared", "more", "words"),
    [
        ([item("chat", specName="large"), item("embed")], {}, ("apply", "--yes")),
        ([item("embed")], REMOVED, ("apply", "--yes")),
        ([item("chat"), item("embed")], {}, ("destroy", "--yes")),
        ([item("chat"), item("embed")], {}, ("destroy", "--yes", "--target", "chat")),
        ([item("chat"), item("embed")], {}, ("plan", "--destroy")),
        ([], {}, ("apply", "--yes", "--allow-delete", "2")),
    ],
)
def test_every_delete_and_replace_asks(
    adopted: Sandbox, declared: Any, more: Any, words: tuple[str, ...]
) -> None:
    """By its removal, by a field that cannot be changed, and by destroy."""
    adopted.declare(*declared, **more)
    asks(adopted, *words)
    assert adopted.run(*words, "--allow-adopted").code == 0


@pytest.mark.parametrize("how", ["apply", "scale", "update", "import", "flag"])
def test_what_makes_it_ours(adopted: Sandbox, how: str) -> None:
    """Any write of ours, an import by ID, and --adopt."""
    if how == "flag":
        shutil.rmtree(adopted.root / "state")
        adopted.apply("--adopt")
    elif how == "apply":
        adopted.declare(item("chat", replicas=2), item("embed"))
        adopted.apply()
    elif how == "import":
        assert "is recorded" in adopted.run("import", "chat", adopted.id("chat")).out
        assert "already recorded" in adopted.run("import", "chat", adopted.id("chat")).out
    else:
        words = {"scale": ("scale", "chat", "2"), "update": ("update", "chat", "--image", "a/b:2")}[how]
        assert adopted.run(*words, "--yes").code == 0
    assert "adopted" not in adopted.inventory["chat"]
    adopted.declare(item("embed"))
    adopted.apply()
    assert set(adopted.live()) == {"embed"}


def test_the_mark_stays_until_then(adopted: Sandbox) -> None:
    """Applies without a change, a rebuilt map and a recreated one keep it; a delete by hand needs no flag."""
    before = (adopted.root / "state/novita.json").read_bytes()
    adopted.apply()
    assert (adopted.root / "state/novita.json").read_bytes() == before
    shutil.rmtree(adopted.root / "state")
    assert adopted.run("state", "rebuild").code == 0
    asks(adopted, "destroy", "--yes")
    assert adopted.run("delete", "chat", "--yes").code == 0
    assert set(adopted.live()) == {"embed"}


def test_what_we_made_asks_nothing(sandbox: Sandbox) -> None:
    """Made, taken over with a write, or imported with all others."""
    sandbox.sim.world.console_create(name="theirs", appName="theirs")
    assert sandbox.run("import", "--all", "--out", "endpoints.yaml").code == 0
    sandbox.declare(item("chat"))
    sandbox.apply("--allow-delete", "1")
    sandbox.declare()
    assert sandbox.run("destroy", "--yes").code == 0
    assert sandbox.live() == {}


def test_a_plan_says_it_plainly(sandbox: Sandbox) -> None:
    """Before anything is recorded, and for the only endpoint that it is about."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    shutil.rmtree(sandbox.root / "state")
    ran = sandbox.run("plan")
    assert "recorded by its name" in ran.out
    assert "`chat` was not created from this inventory, and is recorded by name alone" in ran.err
    assert sandbox.run("plan", "--json").codes == ["adopted-by-name"]
    assert sandbox.run("plan", "--adopt", "--json").codes == []


def test_who_lets_go_of_one_that_is_declared_takes_another_name(adopted: Sandbox) -> None:
    """As the message says: otherwise the next plan would find it again."""
    adopted.declare(item("chat", specName="large"), item("embed"))
    err = adopted.run("apply", "--yes").err
    assert "declare another name here, and forget it with: reconciler state rm chat" in err
    theirs = adopted.id("chat")
    adopted.declare(item("chat-2", specName="large"), item("embed"))
    assert adopted.run("state", "rm", "chat").code == 0
    adopted.apply()
    assert (adopted.id("chat"), set(adopted.inventory)) == (theirs, {"chat-2", "embed"})
