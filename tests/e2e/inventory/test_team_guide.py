"""The commands of docs/team.md do what it says."""

import re
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox, item
from tests.postgres_server import PostgresServer
from tests.s3_server import S3Server
from tests.stores.gitlab_server import StateServer, environment

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "team.md").read_text(encoding="utf-8")


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
