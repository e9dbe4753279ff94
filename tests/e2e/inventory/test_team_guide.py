"""The commands of docs/team.md do what it says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.inventory.stores.address import open_store
from tests.docs.blocks import blocks, commands
from tests.docs.shell import Shell
from tests.e2e.inventory.test_locks_by_hand import HOLDER
from tests.e2e.sandbox import ROOT, Sandbox, item
from tests.postgres_server import PostgresServer
from tests.s3_server import S3Server
from tests.stores.gitlab_server import StateServer, environment

GUIDE = (ROOT / "docs" / "team.md").read_text(encoding="utf-8")


@pytest.fixture(params=["s3", "postgres", "gitlab"])
def store(request: pytest.FixtureRequest, sandbox: Sandbox) -> str:
    """Return the address of an empty store, whose credentials are in the environment."""
    if request.param == "postgres":
        database: PostgresServer = request.getfixturevalue("postgres_server")
        return database.address("prod")
    if request.param == "gitlab":
        server: StateServer = request.getfixturevalue("gitlab")
        for name, value in environment(server).items():
            sandbox.monkeypatch.setenv(name, value)
        return server.gitlab(sandbox.root.parent.name)  # the server is that of all tests
    bucket: S3Server = request.getfixturevalue("s3_server")
    for name, value in bucket.environ().items():
        sandbox.monkeypatch.setenv(name, value)
    return bucket.new_address()


def test_the_move_from_a_file(sandbox: Sandbox, store: str) -> None:
    """Each command succeeds, in the order of the page; afterwards the store knows everything."""
    (commands,) = re.findall(r"^<!-- commands -->\n```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    lines = [line.split("  #")[0].split() for line in commands.splitlines()]
    assert len(lines) == 7
    for program, *words in lines:
        assert program == "reconciler"
        ran = sandbox.run(*(store if word == '"$STORE"' else word for word in words))
        assert ran.code == 0, (words, ran.err)
    sandbox.declare(item("chat"))
    sandbox.apply("--state", store)
    history = sandbox.run("--state", store, "history", "--json").document
    changes = {("chat", "create"), ("embed", "create"), ("embed", "delete")}
    assert {(one["name"], one["action"]) for one in history} == changes


def test_the_history_of_a_store_names_who_and_the_commit(sandbox: Sandbox, store: str) -> None:
    """Of each of two pipelines, from whichever machine it is asked."""
    for actor, sha in (("ada", "a" * 40), ("grace", "b" * 40)):
        sandbox.monkeypatch.setenv("GITHUB_ACTIONS", "true")
        sandbox.monkeypatch.setenv("GITHUB_ACTOR", actor)
        sandbox.monkeypatch.setenv("GITHUB_SHA", sha)
        sandbox.declare(item("chat", maxReplicas=len(actor)))
        sandbox.apply("--state", store)
    text = sandbox.run("--state", store, "history").out
    assert re.search(r"2  \S+  scale     grace  bbbbbbbb", text)
    assert re.search(r"1  \S+  create    ada  aaaaaaaa", text)


def test_the_doctor_examines_the_store(sandbox: Sandbox, store: str) -> None:
    """A row for each fact, and none about git, because the inventory is no file."""
    sandbox.declare(item("chat"))
    sandbox.apply("--state", store)
    ran = sandbox.run("--state", store, "doctor", "--json")
    assert ran.code == 0, ran.out
    rows = {one["name"]: one for one in ran.document["checks"]}
    for name in ("store reachable", "store locks", "store clock"):
        assert rows[name]["grade"] == "ok", rows
    assert rows["lock"]["found"] == "free"
    assert not {"git", "git companions"} & rows.keys()


def test_a_push_over_a_store_keeps_a_way_back(sandbox: Sandbox, store: str) -> None:
    sandbox.declare(item("chat"))
    sandbox.apply("--state", store)
    sandbox.run("--state", store, "state", "pull", "-o", "old.json")
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply("--state", store)
    now = sandbox.run("--state", store, "state", "pull").out
    assert sandbox.run("--state", store, "state", "push", "old.json").code == 3
    assert sandbox.run("--state", store, "state", "push", "--force", "old.json").code == 0
    assert sandbox.run("--state", store, "state", "pull", "--previous").out == now


def test_a_team_begins_with_a_store(sandbox: Sandbox, postgres_server: PostgresServer) -> None:
    """In an empty folder, with the credentials in the environment; the address stands in config.yaml then."""
    for path in sandbox.root.iterdir():
        path.unlink()
    shell = Shell(sandbox.root, sandbox.monkeypatch)
    address = postgres_server.address("prod")
    first = blocks(GUIDE)[0]
    assert first.text.count("postgres://db.internal/infra?inventory=prod") == 1
    for command in commands(first):
        shown = shell.run(command.text.replace("postgres://db.internal/infra?inventory=prod", address))
        assert shell.code == 0, shown
    assert address in (sandbox.root / "config.yaml").read_text(encoding="utf-8")
    sandbox.apply()
    assert sandbox.run("--state", address, "state", "list").out.startswith("hello  ")
    assert not (sandbox.root / "state" / "novita.json").exists()


def test_a_lock_that_stays_is_freed(sandbox: Sandbox, s3_server: S3Server) -> None:
    """By its ID, which is shown and typed; then the commands work again."""
    for name, value in s3_server.environ().items():
        sandbox.monkeypatch.setenv(name, value)
    address = s3_server.new_address()
    sandbox.monkeypatch.setenv("RECONCILER_STATE", address)
    sandbox.declare(item("chat"))
    (block,) = (one for one in blocks(GUIDE) if "unlock" in one.text)
    shell = Shell(sandbox.root, sandbox.monkeypatch)
    with open_store(address, sandbox.root, s3_server.environ()).hold(HOLDER):
        lock_id = sandbox.run("state", "lock-info", "--json").document["holder"]["lock_id"]
        for command in commands(block):
            shown = shell.run(command.text.replace("ID", lock_id), [lock_id] if "ID" in command.text else [])
            assert shell.code == 0, shown
    assert "1 to add" in shown


def test_the_example_of_a_team_begins(sandbox: Sandbox, postgres_server: PostgresServer) -> None:
    """examples/team/README.md with a server that runs already, and with what a person writes into .env."""
    shutil.copytree(ROOT / "examples" / "team", sandbox.root, dirs_exist_ok=True)
    page = (sandbox.root / "README.md").read_text(encoding="utf-8")
    (block,) = (one for one in blocks(page) if one.language == "sh")
    script = block.text.replace("docker compose up --detach --wait", "sed -i.bak 's/=$/=secret/' .env")
    script = script.replace("postgres://127.0.0.1/infra?inventory=prod", postgres_server.address("prod"))
    done = subprocess.run(
        ["bash", "-euc", script], cwd=sandbox.root, input="yes\n", timeout=60, check=False,
        env={"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No problems found." in done.stdout
    assert "Apply complete! Resources: 2 added" in done.stdout
