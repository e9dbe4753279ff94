"""`state lock-info` and `unlock`: who holds the lock, and how one that outlived its run is freed."""

import time
from dataclasses import replace
from pathlib import Path

from reconciler.inventory.lock_holder import current_holder
from reconciler.inventory.stores.address import open_store
from tests.e2e.sandbox import Sandbox, item
from tests.s3_server import S3Server

HOLDER = current_holder(
    command="reconciler apply",
    environ={"USER": "ada", "CI_JOB_URL": "https://gitlab.example.com/jobs/7"},
    clock=time.time,
)


def test_a_free_lock(sandbox: Sandbox) -> None:
    ran = sandbox.run("state", "lock-info")
    assert ran.code == 0
    assert ran.out == ""
    assert "No run holds the lock of" in ran.err
    assert sandbox.run("state", "lock-info", "--json").document["holder"] is None
    refused = sandbox.run("state", "unlock", "7", "--yes")
    assert refused.code == 1
    assert "nothing was unlocked" in refused.err.lower()


def test_the_lock_of_a_file_ends_with_its_run(sandbox: Sandbox) -> None:
    """So it is shown, and never freed by hand."""
    store = open_store(Path("state/novita.json"), sandbox.root, {})
    with store.hold(HOLDER):
        shown = sandbox.run("state", "lock-info").out
        assert "Who      ada\n" in shown
        assert "Command  reconciler apply\n" in shown
        assert "CI run   https://gitlab.example.com/jobs/7\n" in shown
        document = sandbox.run("state", "lock-info", "--json").document
        assert document["locked"] is True
        assert document["holder"]["pid"] == HOLDER.pid
        ran = sandbox.run("state", "unlock", "7", "--yes")
        assert ran.code == 1
        assert "ends by itself when its run ends" in ran.err


def test_a_lock_is_freed_by_its_id(sandbox: Sandbox, s3_server: S3Server) -> None:
    """After the ID is typed; `yes`, another ID and no input at all free nothing."""
    for name, value in s3_server.environ().items():
        sandbox.monkeypatch.setenv(name, value)
    address = s3_server.new_address()
    there = ("--state", address)
    with open_store(address, sandbox.root, s3_server.environ()).hold(HOLDER):
        holder = sandbox.run(*there, "state", "lock-info", "--json").document["holder"]
        lock_id = holder["lock_id"]
        assert lock_id
        assert sandbox.run(*there, "state", "unlock", "another", typed="another\n").code == 1
        for typed in ("yes\n", "", "another\n"):
            ran = sandbox.run(*there, "state", "unlock", lock_id, typed=typed)
            assert ran.code == 1, typed
            assert "Host     " in ran.err
        assert sandbox.run(*there, "state", "lock-info", "--json").document["locked"] is True
        ran = sandbox.run(*there, "state", "unlock", lock_id, typed=f"{lock_id}\n")
        assert ran.code == 0, ran.err
        assert sandbox.run(*there, "state", "lock-info", "--json").document["locked"] is False
        again = sandbox.run(*there, "state", "unlock", lock_id, "--yes")
        assert again.code == 1


def test_the_leader_is_named_beside_the_lock(sandbox: Sandbox, s3_server: S3Server) -> None:
    """A command line needs only the lock of the inventory. The leadership is freed by its own ID."""
    for name, value in s3_server.environ().items():
        sandbox.monkeypatch.setenv(name, value)
    there = ("--state", s3_server.new_address())
    store = open_store(there[1], sandbox.root, s3_server.environ())
    sandbox.declare(item("a"))
    assert sandbox.run(*there, "state", "lock-info", "--json").document["leader"] is None
    with store.sibling.hold(replace(HOLDER, command="reconciler run")):
        sandbox.apply(*there)
        shown = sandbox.run(*there, "state", "lock-info")
        assert "No run holds the lock of" in shown.err
        assert "This process leads" in shown.err
        assert "Command  reconciler run\n" in shown.out
        leader = sandbox.run(*there, "state", "lock-info", "--json").document["leader"]
        assert (leader["who"], leader["pid"]) == ("ada", HOLDER.pid)
        assert f"ada on {HOLDER.host} (pid {HOLDER.pid})" in sandbox.run(*there, "doctor").out
        assert sandbox.run(*there, "state", "unlock", leader["lock_id"], "--yes").code == 0
        assert sandbox.run(*there, "state", "lock-info", "--json").document["leader"] is None
    assert store.neighbors() == {}
