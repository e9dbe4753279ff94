"""`reconciler run --git`: commits are applied, and the history says which."""

from __future__ import annotations

import hmac
import json
import shutil
import signal
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.run.test_process import AUTO, OFTEN, ended
from tests.e2e.sandbox import SPECS, Sandbox, item
from tests.git_server import Repository, git, git_http_server
from tests.postgres_server import PostgresServer

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def state(postgres_server: PostgresServer, sandbox: Sandbox) -> str:
    """The address of a new inventory, which all commands of a test use."""
    address = postgres_server.address(uuid4().hex)
    sandbox.monkeypatch.setenv("RECONCILER_STATE", address)
    return address


@pytest.fixture
def repository(sandbox: Sandbox, tmp_path: Path, state: str) -> Repository:
    """The files of the sandbox, which are in infra/gpu of a repository only."""
    sandbox.monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for left in sandbox.root.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    return Repository.make(tmp_path)


def commit(repository: Repository, *items: dict[str, Any], message: str = "Change", **config: Any) -> str:
    files = {
        "infra/gpu/specs.yaml": json.dumps(SPECS),
        "infra/gpu/config.yaml": json.dumps({**AUTO, **config}),
        "infra/gpu/endpoints.yaml": json.dumps({"endpoints": items}),
    }
    return repository.commit(files, message)


def of(repository: Repository) -> tuple[str, ...]:
    return ("--git", str(repository.bare), "--ref", "main", "--path", "infra/gpu")


def test_commits_are_applied_and_known_to_the_history(sandbox: Sandbox, repository: Repository) -> None:
    first = commit(repository, item("chat"), message="Add chat")
    process = sandbox.start(*OFTEN, *of(repository))
    sandbox.await_live("chat")
    second = commit(repository, item("chat"), item("embed"), message="Add embed\n\nAnd why.")
    sandbox.await_live("embed")
    ended(process)
    assert len(sandbox.sent("create")) == 2
    commits = {}
    for name in ("chat", "embed"):
        (entry,) = sandbox.run("history", name, "--json").document
        commits[name] = (entry["commit"], entry["message"], entry["dirty"])
    assert commits == {
        "chat": (first, "Add chat (Ada Lovelace)", False),
        "embed": (second, "Add embed (Ada Lovelace)", False),
    }


def test_a_commit_that_is_not_valid_waits_for_the_next(sandbox: Sandbox, repository: Repository) -> None:
    """The earlier one stays in force: drift is still undone by it."""
    commit(repository, item("chat"))
    process = sandbox.start(*OFTEN, *of(repository))
    sandbox.await_live("chat")
    repository.commit({"infra/gpu/endpoints.yaml": "endpoints: [{endpoint: chat"}, "Break it")
    sandbox.sim.world.endpoints[0]["workerConfig"]["maxNum"] = 7
    sandbox._await(lambda: sandbox.live()["chat"]["workerConfig"]["maxNum"] != 7, "drift was not undone")
    commit(repository, item("chat"), item("embed"))
    sandbox.await_live("embed")
    err = ended(process)
    assert err.count("endpoints.yaml:1:") <= 2


def test_the_server_is_down_and_comes_back(sandbox: Sandbox, repository: Repository) -> None:
    """Also at the start. The reason is told once, and rounds go on with the commit in force."""
    commit(repository, item("chat"))
    with git_http_server(repository) as server:
        server.down = True
        process = sandbox.start(*OFTEN, "--git", server.url, "--path", "infra/gpu")
        sandbox._await(lambda: len(server.requests) > 3, "the server was not asked again")
        server.down = False
        sandbox.await_live("chat")
        server.down = True
        asked = len(server.requests)
        sandbox._await(lambda: len(server.requests) > asked + 3, "the server was not asked again")
        sandbox.sim.world.endpoints[0]["workerConfig"]["maxNum"] = 7
        sandbox._await(lambda: sandbox.live()["chat"]["workerConfig"]["maxNum"] != 7, "drift stayed")
        commit(repository, item("chat"), item("embed"))
        server.down = False
        sandbox.await_live("embed")
        err = ended(process)
    assert 1 <= err.count("503") <= 2


def test_once(sandbox: Sandbox, repository: Repository) -> None:
    commit(repository, item("chat"))
    assert sandbox.run("run", "--once", *of(repository)).code == 0
    assert set(sandbox.live()) == {"chat"}
    git(repository.bare, "update-ref", "-d", "refs/heads/main")
    ran = sandbox.run("run", "--once", *of(repository))
    assert ran.code == 1
    assert "has no ref main" in ran.err


@pytest.mark.parametrize("place", ["", "/srv/novita.json"])
def test_an_inventory_in_a_file_is_refused(place: str, sandbox: Sandbox, repository: Repository) -> None:
    """One in the checkout would get lost with it."""
    commit(repository, item("chat"))
    sandbox.monkeypatch.setenv("RECONCILER_STATE", place)
    ran = sandbox.run("run", "--once", *of(repository))
    assert ran.code == 1
    assert "does not go with --git" in ran.err
    assert sandbox.sent() == []


def test_the_environment_is_one_of_the_commit(sandbox: Sandbox, repository: Repository, state: str) -> None:
    sandbox.monkeypatch.delenv("RECONCILER_STATE")
    commit(repository, item("chat"), environments={"prod": {"state": state}})
    ran = sandbox.run("run", "--once", "-e", "prod", *of(repository))
    assert ran.code == 0, ran.err
    assert set(sandbox.live()) == {"chat"}
    ran = sandbox.run("run", "--once", "-e", "staging", *of(repository))
    assert ran.code == 1
    assert "no environment `staging`" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--ref", "main"),
        ("--path", "infra"),
        ("--git", "https://git.example.org/x", "-C", "."),
        ("--git", "--upload-pack=x"),
        ("--git", "https://git.example.org/x", "--ref", "-x"),
        ("--git", "https://git.example.org/x", "--path", "../x"),
    ],
)
def test_usage_errors(arguments: tuple[str, ...], sandbox: Sandbox) -> None:
    assert sandbox.run("run", "--once", *arguments).code == 64


def test_a_signal_ends_it_before_there_is_a_commit(sandbox: Sandbox, repository: Repository) -> None:
    process = sandbox.start("run", "--poll", "60s", *of(repository))
    assert process.stderr is not None
    assert "has no ref main" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err


def test_a_call_of_the_hook_is_acted_on_at_once(sandbox: Sandbox, repository: Repository) -> None:
    """The next poll would be in a minute. A call with another signature does nothing."""
    secret = "a-secret-that-nobody-can-guess"
    sandbox.monkeypatch.setenv("HOOK_SECRET", secret)
    sandbox.monkeypatch.setenv("RECONCILER_API_TOKENS", "ada:a-token-of-enough-length:write")
    commit(repository, item("chat"))
    listen = ("--listen", "127.0.0.1:0", "--hook-secret-env", "HOOK_SECRET")
    process = sandbox.start("run", "--poll", "60s", *of(repository), *listen)
    assert process.stderr is not None
    line = next(line for line in process.stderr if "http://" in line)
    port = int(line.split("http://127.0.0.1:")[1].split("/")[0].split()[0])
    sandbox.await_live("chat")
    commit(repository, item("chat"), item("embed"))
    body = b'{"ref":"refs/heads/main"}'
    for key, status in (("another-secret-of-somebody", 401), (secret, 202)):
        signature = hmac.new(key.encode(), body, "sha256").hexdigest()
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("POST", "/hook", body, {"X-Hub-Signature-256": f"sha256={signature}"})
        assert connection.getresponse().status == status
        connection.close()
    sandbox.await_live("embed")
    ended(process)
