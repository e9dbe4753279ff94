"""Two inventories in one store: what one records, the other one neither adopts nor deletes."""

import json

import pytest

from tests.e2e.sandbox import Sandbox, item

A, B = ("--state", "state/a.json"), ("--state", "state/b.json")


@pytest.fixture
def shop(sandbox: Sandbox) -> Sandbox:
    """The inventory A has made `chat`."""
    sandbox.declare(item("chat"))
    sandbox.apply(*A)
    return sandbox


def test_the_other_one_does_not_adopt_it(shop: Sandbox) -> None:
    """Neither an equal one nor by --adopt, by import or by a rebuild; the owner is named."""
    for command in ("plan --json", "apply --json --auto-approve", "apply --json --auto-approve --adopt"):
        ran = shop.run(*B, *command.split())
        assert ran.code == 3, command
        assert "other-inventory" in ran.codes
        assert "adopted-by-name" not in ran.codes
    assert "state/a.json" in shop.run(*B, "plan").err
    assert shop.run(*B, "import", "chat", shop.id("chat")).code == 3
    shop.declare()
    ran = shop.run(*B, "import", "--all", "--out", "imported.yaml")
    assert "is left out: " in ran.err
    assert "state/a.json" in ran.err
    assert not (shop.root / "imported.yaml").exists()
    shop.declare(item("chat"))
    assert shop.run(*B, "state", "rebuild").err.count("state/a.json") == 1
    assert json.loads((shop.root / "state/b.json").read_text())["endpoints"] == {}
    assert not shop.sent("update", "delete")


@pytest.mark.parametrize("command", ["scale chat 3", "update chat --image a:2", "delete chat"])
def test_the_other_one_does_not_change_it(shop: Sandbox, command: str) -> None:
    ran = shop.run(*B, *command.split(), "--auto-approve", "--json")
    assert ran.code == 3
    assert "other-inventory" in ran.codes
    assert not shop.sent("update", "delete")


def test_what_both_record_is_deleted_by_neither(shop: Sandbox) -> None:
    """Not by removing it from the files, by `destroy`, by `delete` or by a replacement."""
    shop.run("state", "copy", "state/a.json", "state/b.json")
    for state in (A, B):
        for command in (("destroy",), ("delete", "chat"), ("apply", "--replace", "chat")):
            ran = shop.run(*state, *command, "--auto-approve", "--json")
            assert ran.code == 3, command
            assert "other-inventory" in ran.codes
    shop.declare()
    assert "other-inventory" in shop.run(*A, "plan", "--json").codes
    assert not shop.sent("delete")
    assert shop.run(*B, "state", "rm", "chat").code == 0
    shop.apply(*A, "--allow-delete", "1")
    assert not shop.live()


def test_changes_of_ones_own_read_no_neighbor(shop: Sandbox) -> None:
    """One that cannot be read stops nobody else, and the way back of a push is no other inventory."""
    shop.write("state/c.json", '{\n  "endpoints": {},\n  "format": 2,\n  "unknown": 7\n}')
    own = (shop.root / "state/a.json").read_text()
    (shop.root / "state/a.json.previous.json").write_text(own)  # as a push keeps it
    assert shop.run(*A, "plan", "--detailed-exitcode").code == 0
    shop.declare(item("chat", minReplicas=1, maxReplicas=3), item("embed"))
    shop.apply(*A)
    shop.declare(item("embed"))
    shop.apply(*A)
    assert set(shop.live()) == {"embed"}


def test_an_open_create_is_not_settled_with_the_endpoint_of_another_one(sandbox: Sandbox) -> None:
    """Two killed creates of one name: each inventory finds its own."""
    sandbox.declare(item("chat"))
    sandbox.killed("create", *B, when="before")
    sandbox.apply(*A)
    ran = sandbox.run(*B, "plan", "--json")
    assert ran.code in (3, 5)
    assert "other-inventory" in ran.codes
    stated = sandbox.run(*B, "recover", "chat", "--id", sandbox.id("chat"))
    assert stated.code == 3
    assert "state/a.json" in stated.err
