"""`state pull`, `push` and `copy`: whole inventories leave a store, come back, and move to another one."""

import json
import time
from pathlib import Path

import pytest

from reconciler.inventory.lock_holder import current_holder
from reconciler.inventory.stores.address import open_store
from tests.e2e.sandbox import Sandbox, item
from tests.s3_server import S3Server

MAP = Path("state/novita.json")


@pytest.fixture
def shop(sandbox: Sandbox) -> Sandbox:
    """An account with two endpoints that were applied."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    return sandbox


def test_a_pull_is_the_map(shop: Sandbox) -> None:
    """On stdout and in a file, as it is in the store."""
    data = (shop.root / MAP).read_text()
    assert shop.run("state", "pull").out == data
    ran = shop.run("state", "pull", "-o", "there.json")
    assert ran.code == 0
    assert ran.err == "2 resources written to there.json.\n"
    assert (shop.root / "there.json").read_text() == data
    again = shop.run("state", "pull", "-o", "there.json", "--json")
    assert again.document == {"written": "there.json", "recorded": 2, "open": [], "exit_code": 0}


def test_a_pull_replaces_only_a_pulled_inventory(shop: Sandbox) -> None:
    for name in ("endpoints.yaml", "notes.txt", str(MAP)):
        before = shop.write("notes.txt", "by hand") if name == "notes.txt" else shop.root / name
        text = before.read_text()
        ran = shop.run("state", "pull", "-o", name)
        assert ran.code == 1
        assert "nothing was done" in ran.err.lower()
        assert before.read_text() == text
    assert shop.run("state", "pull", "-o", "notes.txt", "--force").code == 0


def test_a_pull_folds_the_journal_and_names_open_creates(sandbox: Sandbox) -> None:
    """A killed run leaves its changes in the journal only."""
    sandbox.declare(item("chat"))
    sandbox.killed("create")
    ran = sandbox.run("state", "pull")
    assert json.loads(ran.out)["endpoints"] == {}
    assert ran.err == "The create of chat is unresolved and stays in the journal.\n"


def test_there_is_nothing_to_pull(sandbox: Sandbox) -> None:
    for options in ((), ("--previous",)):
        ran = sandbox.run("state", "pull", *options)
        assert ran.code == 1
        assert ran.out == ""
    assert "there is no inventory in" in sandbox.run("state", "pull").err


def test_a_push_gives_back_what_was_pulled(shop: Sandbox) -> None:
    """Also what is not there any more, without a key."""
    shop.run("state", "pull", "-o", "backup.json")
    shop.run("state", "rm", "chat")
    shop.monkeypatch.delenv("NOVITA_API_KEY")
    ran = shop.run("state", "push", "backup.json")
    assert ran.code == 0, ran.err
    assert (shop.root / MAP).read_bytes() == (shop.root / "backup.json").read_bytes()
    assert "state pull --previous -o previous.json" in ran.err
    again = shop.run("state", "push", "backup.json")
    assert "--previous" not in again.err, "nothing was replaced, so what is kept stays"
    kept = json.loads(shop.run("state", "pull", "--previous").out)
    assert list(kept["endpoints"]) == ["embed"]


def test_an_older_file_is_refused(shop: Sandbox) -> None:
    """One that lacks what was created since, and one that has other values; the names are said."""
    shop.run("state", "pull", "-o", "old.json")
    shop.declare(item("chat", minReplicas=1, maxReplicas=3), item("embed"), item("rerank"))
    shop.apply()
    now = (shop.root / MAP).read_bytes()
    ran = shop.run("state", "push", "old.json")
    assert ran.code == 3
    assert f"rerank: {shop.id('rerank')} is not in the file" in ran.err
    assert f"chat: the file has other values of {shop.id('chat')}" in ran.err
    assert "reconciler state push --force old.json" in ran.err
    assert (shop.root / MAP).read_bytes() == now
    assert shop.run("state", "push", "--force", "old.json", "--json").document["previous_kept"] is True
    assert shop.run("state", "pull", "--previous").out.encode() == now


def test_a_file_of_another_account_is_refused(shop: Sandbox) -> None:
    """By its host or its key; a file that shares an endpoint is of the same account, whatever the key."""
    document = json.loads((shop.root / MAP).read_text())
    foreign = {**document, "endpoints": {"far": {**document["endpoints"]["chat"], "id": "f00"}}}
    for change in ({"account": "0123456789ab"}, {"base_url": "https://api.elsewhere.example"}):
        shop.write("far.json", {**foreign, **change})
        ran = shop.run("state", "push", "--force", "far.json")
        assert ran.code == 3, ran.err
        assert "far.json is not of this account" in ran.err
        empty = shop.run("--state", "state/new.json", "state", "push", "far.json")
        assert empty.code == 3, empty.err
    assert shop.run("state", "push", "--force", "--allow-other-account", "far.json").code == 0
    shop.write("rotated.json", {**document, "account": "0123456789ab"})
    shop.write(str(MAP), document)
    assert shop.run("state", "push", "rotated.json").code == 0


@pytest.mark.parametrize("content", ["", "{}", "endpoints: []", '{"serial": 1, "version": 4}'])
def test_a_file_that_is_no_inventory_is_refused(shop: Sandbox, content: str) -> None:
    now = (shop.root / MAP).read_bytes()
    shop.write("other.json", content)
    ran = shop.run("state", "push", "--force", "other.json")
    assert ran.code == 1
    assert "other.json" in ran.err
    assert "Name a file that `reconciler state pull -o FILE` wrote" in ran.err
    assert (shop.root / MAP).read_bytes() == now
    assert shop.run("state", "push", "missing.json").code == 1


def test_a_push_keeps_open_creates(sandbox: Sandbox) -> None:
    """The next apply settles them."""
    sandbox.declare(item("embed"))
    sandbox.apply()
    sandbox.run("state", "pull", "-o", "backup.json")
    sandbox.declare(item("embed"), item("chat"))
    sandbox.killed("create")
    ran = sandbox.run("state", "push", "backup.json", "--json")
    assert ran.document["open"] == ["chat"]
    sandbox.apply()
    assert len(sandbox.sim.world.endpoints) == 2


def test_a_push_waits_for_the_lock(shop: Sandbox) -> None:
    shop.run("state", "pull", "-o", "backup.json")
    holder = current_holder(command="reconciler apply", environ={}, clock=time.time)
    with open_store(MAP, shop.root, {}).hold(holder):
        ran = shop.run("state", "push", "backup.json")
        assert ran.code == 7
        assert shop.run("state", "copy", str(MAP), "state/copy.json").code == 7


def test_a_copy_has_everything(sandbox: Sandbox) -> None:
    """Records, open creates and history; afterwards the work goes on there."""
    sandbox.declare(item("embed"))
    sandbox.apply()
    sandbox.declare(item("embed"), item("chat"))
    sandbox.killed("create")
    ran = sandbox.run("state", "copy", str(MAP), "moved/inventory.json", "--json")
    assert ran.code == 0, ran.err
    assert ran.document["open"] == ["chat"]
    assert ran.document["versions"] == 1
    moved = ("--state", "moved/inventory.json")
    assert sandbox.run(*moved, "history", "--json").out == sandbox.run("history", "--json").out
    sandbox.apply(*moved)
    assert len(sandbox.sim.world.endpoints) == 2
    assert sandbox.run(*moved, "plan", "--detailed-exitcode").code == 0


def test_a_copy_of_what_a_controller_leads_says_so(shop: Sandbox) -> None:
    """The controller would go on writing to the source."""
    holder = current_holder(command="reconciler", environ={"USER": "deploy"}, clock=time.time)
    with open_store(MAP, shop.root, {}).sibling.hold(holder):
        ran = shop.run("state", "copy", str(MAP), "state/copy.json")
    assert ran.code == 0, ran.err
    assert f"The controller of deploy on {holder.host} (pid {holder.pid}) leads {MAP}" in ran.err
    assert "with --state state/copy.json." in ran.err


def test_a_copy_replaces_only_by_force(shop: Sandbox) -> None:
    shop.run("state", "copy", str(MAP), "state/other.json")
    shop.run("--state", "state/other.json", "state", "rm", "chat")
    before = (shop.root / "state/other.json").read_bytes()
    ran = shop.run("state", "copy", str(MAP), "state/other.json")
    assert ran.code == 3
    assert f"reconciler state copy --force {MAP} state/other.json" in ran.err
    assert (shop.root / "state/other.json").read_bytes() == before
    forced = shop.run("state", "copy", "--force", str(MAP), "state/other.json")
    assert forced.code == 0, forced.err
    assert shop.run("--state", "state/other.json", "state", "pull").out == shop.run("state", "pull").out
    kept = shop.run("--state", "state/other.json", "state", "pull", "--previous").out
    assert kept.encode() == before


def test_a_copy_onto_itself_or_of_nothing(shop: Sandbox) -> None:
    ran = shop.run("state", "copy", str(MAP), str(MAP), "--force")
    assert ran.code == 1
    assert "nothing was copied" in ran.err.lower()
    ran = shop.run("state", "copy", "state/none.json", "state/other.json")
    assert ran.code == 1
    assert "there is no inventory in" in ran.err
    assert not (shop.root / "state/other.json").exists()


def test_a_copy_to_an_object_store(shop: Sandbox, s3_server: S3Server) -> None:
    """And back: the same bytes."""
    for name, value in s3_server.environ().items():
        shop.monkeypatch.setenv(name, value)
    address = s3_server.new_address()
    ran = shop.run("state", "copy", str(MAP), address)
    assert ran.code == 0, ran.err
    assert shop.run("--state", address, "plan", "--detailed-exitcode").code == 0
    assert shop.run("--state", address, "history", "--json").out == shop.run("history", "--json").out
    assert shop.run("state", "copy", address, "state/back.json").code == 0
    assert (shop.root / "state/back.json").read_bytes() == (shop.root / MAP).read_bytes()
