"""Where a token and a deploy key go: to their server, and nowhere else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.model.errors import SourceError
from tests.controller.git.conftest import Open
from tests.e2e.sandbox import ROOT
from tests.git_server import GitHttpServer, Repository, git_http_server

TOKEN = "glpat-this-is-the-token"


def basic(user: str, token: str) -> str:
    return f"Basic {b64encode(f'{user}:{token}'.encode()).decode()}"


@pytest.fixture
def recorded(environ: dict[str, str], tmp_path: Path) -> Callable[[], tuple[str, str]]:
    """Puts a `git` first in the PATH that notes its words and its variables, and returns what it noted."""
    real, folder = shutil.which("git"), tmp_path / "recorder"
    folder.mkdir()
    for name in ("git", "ssh"):
        path = folder / name
        target = real if name == "git" else shutil.which("ssh")
        path.write_text(
            f'#!/bin/sh\necho "$0 $*" >> {folder}/words\nenv >> {folder}/variables\nexec {target} "$@"\n'
        )
        path.chmod(0o755)
    environ["PATH"] = f"{folder}:{environ['PATH']}"
    return lambda: ((folder / "words").read_text(), (folder / "variables").read_text())


def test_the_token_is_sent_at_once_and_stands_on_no_command_line(
    repository: Repository,
    server: GitHttpServer,
    opened: Open,
    recorded: Callable[[], tuple[str, str]],
    tmp_path: Path,
) -> None:
    """It is in no file either. At once: git does not ask first without it, which would be a request more."""
    commit = repository.commit({"infra/endpoints.yaml": "one", "other": "x"})
    server.authorization = basic("x-access-token", TOKEN)
    secrets = {
        "NOVITA_API_KEY": "sk_the-api-key-itself",
        "HF_TOKEN": "hf_of-an-endpoint",
        "GIT_DIR": "/elsewhere",
        "GIT_SSH_COMMAND": "touch pwned",
        "GIT_EXTERNAL_DIFF": "touch pwned",
        "GIT_TRACE": str(tmp_path / "trace"),
    }
    source = opened(server.url, path="infra", RECONCILER_GIT_TOKEN=f"{TOKEN}\n", **secrets)
    assert source.poll() == commit
    assert len(server.requests) == 2
    assert (source.fetch(commit).root / "endpoints.yaml").read_text() == "one"
    words, variables = recorded()
    secret_texts = (TOKEN, server.authorization.split()[1])
    assert "ls-remote" in words
    assert not [text for text in secret_texts if text in words]
    assert not [name for name in secrets if f"\n{name}=" in variables]
    files = [path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert not [text for text in secret_texts if any(text.encode() in content for content in files)]


def test_the_user_of_a_token(repository: Repository, server: GitHttpServer, opened: Open) -> None:
    """Deploy tokens of GitLab and tokens of Bitbucket have one."""
    commit = repository.commit({"endpoints.yaml": "one"})
    server.authorization = basic("gitlab+deploy-token-1", TOKEN)
    variables = {"RECONCILER_GIT_TOKEN": TOKEN, "RECONCILER_GIT_USERNAME": "gitlab+deploy-token-1"}
    assert opened(server.url, **variables).poll() == commit


def test_a_token_in_a_file_is_read_again(
    repository: Repository, server: GitHttpServer, opened: Open, tmp_path: Path
) -> None:
    """Tokens of GitHub's apps last for an hour."""
    commit = repository.commit({"endpoints.yaml": "one"})
    file = tmp_path / "token"
    source = opened(server.url, RECONCILER_GIT_TOKEN_FILE=str(file))
    for token in ("first-token", "second-token"):
        file.write_text(f"{token}\n")
        server.authorization = basic("x-access-token", token)
        assert source.poll() == commit
    in_force = source.fetch(commit)
    file.unlink()
    with pytest.raises(SourceError, match="RECONCILER_GIT_TOKEN_FILE"):
        source.poll()
    assert source.fetch(commit) == in_force


@pytest.mark.parametrize("token", ["", "wrong-token-of-somebody"])
def test_a_refusal_says_which_variable_to_set(
    token: str, repository: Repository, server: GitHttpServer, opened: Open
) -> None:
    repository.commit({"endpoints.yaml": "one"})
    server.authorization = basic("x-access-token", TOKEN)
    with pytest.raises(SourceError) as caught:
        opened(server.url, RECONCILER_GIT_TOKEN=token).poll()
    problem = caught.value.problem
    assert problem.code == "git-refused"
    assert "RECONCILER_GIT_TOKEN" in problem.hint
    assert not token or token not in str(problem)


def test_a_server_that_repeats_the_token_is_masked(
    repository: Repository, server: GitHttpServer, opened: Open
) -> None:
    repository.commit({"endpoints.yaml": "one"})
    server.complaint = f"no such user, token {TOKEN}, {basic('x-access-token', TOKEN)}"
    with pytest.raises(SourceError) as caught:
        opened(server.url, RECONCILER_GIT_TOKEN=TOKEN).poll()
    text = str(caught.value.problem)
    assert "no such user, token ***" in text
    assert TOKEN not in text
    assert b64encode(TOKEN.encode()).decode()[4:-4] not in text


def test_a_redirect_is_not_followed(repository: Repository, server: GitHttpServer, opened: Open) -> None:
    """The other server would get the token."""
    repository.commit({"endpoints.yaml": "one"})
    with git_http_server(repository) as other:
        server.moved = f"http://127.0.0.1:{other.port}"
        with pytest.raises(SourceError) as caught:
            opened(server.url, RECONCILER_GIT_TOKEN=TOKEN).poll()
        assert other.requests == []
    assert caught.value.problem.code == "git-moved"


@pytest.mark.parametrize("token", ["two words", "a\r\nX-Other: header", "tök-en"])
def test_what_cannot_be_a_token(token: str, server: GitHttpServer, opened: Open) -> None:
    with pytest.raises(SourceError, match="RECONCILER_GIT_TOKEN is not a token") as caught:
        opened(server.url, RECONCILER_GIT_TOKEN=token).poll()
    assert token not in str(caught.value.problem)
    assert server.requests == []


@dataclass(frozen=True)
class SshServer:
    """A server that runs, and the files for its client."""

    url: str
    key: Path
    known_hosts: Path


@pytest.fixture
def ssh_server(repository: Repository, tmp_path: Path) -> Iterator[SshServer]:
    """Spaces, quotes and a percent sign in the paths: a shell and ssh read them."""
    if shutil.which("ssh") is None:
        pytest.skip("ssh is not installed")
    folder = tmp_path / "the team's $HOME %h"
    folder.mkdir()
    for name in ("host", "client"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / name)]
        subprocess.run(words, check=True, timeout=20)
    words = [
        sys.executable,
        "-m",
        "tests.controller.git.ssh_server",
        str(folder / "host"),
        str(folder / "client.pub"),
        str(repository.bare),
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        known = folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
        url = f"ssh://git@127.0.0.1:{port}{repository.bare}"
        try:
            yield SshServer(url=url, key=folder / "client", known_hosts=known)
        finally:
            process.kill()


def test_a_deploy_key(
    repository: Repository,
    ssh_server: SshServer,
    opened: Open,
    recorded: Callable[[], tuple[str, str]],
) -> None:
    commit = repository.commit({"infra/endpoints.yaml": "one", "other": "x"})
    variables = {
        "RECONCILER_GIT_SSH_KEY": str(ssh_server.key),
        "RECONCILER_GIT_KNOWN_HOSTS": str(ssh_server.known_hosts),
    }
    source = opened(ssh_server.url, path="infra", NOVITA_API_KEY="sk_the-api-key-itself", **variables)
    assert source.poll() == commit
    assert (source.fetch(commit).root / "endpoints.yaml").read_text() == "one"
    words, seen = recorded()
    assert "StrictHostKeyChecking=yes" in words
    assert "NOVITA_API_KEY" not in seen


def test_a_host_key_that_is_not_known_is_not_trusted(
    repository: Repository, ssh_server: SshServer, opened: Open, tmp_path: Path
) -> None:
    """Nor is one that has changed."""
    repository.commit({"endpoints.yaml": "one"})
    (tmp_path / "empty").write_text("")
    changed = tmp_path / "changed"
    port = ssh_server.url.split(":")[2].split("/")[0]
    changed.write_text(f"[127.0.0.1]:{port} {ssh_server.key.with_suffix('.pub').read_text()}")
    for known in (tmp_path / "empty", changed):
        variables = {
            "RECONCILER_GIT_SSH_KEY": str(ssh_server.key),
            "RECONCILER_GIT_KNOWN_HOSTS": str(known),
        }
        with pytest.raises(SourceError) as caught:
            opened(ssh_server.url, **variables).poll()
        assert caught.value.problem.code == "git-host-key"
        assert "RECONCILER_GIT_KNOWN_HOSTS" in caught.value.problem.hint


def test_another_key_is_refused(repository: Repository, ssh_server: SshServer, opened: Open) -> None:
    repository.commit({"endpoints.yaml": "one"})
    variables = {
        "RECONCILER_GIT_SSH_KEY": str(ssh_server.key.with_name("host")),
        "RECONCILER_GIT_KNOWN_HOSTS": str(ssh_server.known_hosts),
    }
    with pytest.raises(SourceError) as caught:
        opened(ssh_server.url, **variables).poll()
    assert caught.value.problem.code == "git-refused"


@pytest.mark.parametrize("variable", ["RECONCILER_GIT_SSH_KEY", "RECONCILER_GIT_KNOWN_HOSTS"])
def test_a_file_that_is_missing_is_named(variable: str, opened: Open, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"{variable} names .*missing, which is no file"):
        opened("git@localhost:infra.git", **{variable: str(tmp_path / "missing")}).poll()
