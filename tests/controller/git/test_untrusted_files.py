"""A commit is written by others: it runs nothing, reaches nothing outside, and hides no endpoints."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path

import pytest

from reconciler.model import durations
from reconciler.model.errors import SourceError
from tests.controller.git.conftest import Open
from tests.git_server import Repository, git
from tests.scripted_server import scripted_server

CONFIG = """
[core]
hooksPath = {folder}
fsmonitor = {program}
sshCommand = {program}
askPass = {program}
pager = {program}
attributesFile = {folder}/attributes
[init]
templateDir = {folder}
[filter "evil"]
clean = {program}
smudge = {program}
process = {program}
required = true
[diff]
external = {program}
[credential]
helper = {program}
[alias]
ls-remote = !{program}
[protocol]
allow = always
[url "ext::{program}"]
insteadOf = file
"""


@pytest.fixture
def pwned(tmp_path: Path) -> Path:
    return tmp_path / "pwned"


@pytest.fixture
def program(pwned: Path, tmp_path: Path) -> Path:
    """A program that leaves a trace."""
    path = tmp_path / "evil" / "program"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\necho "$0 $*" >> {pwned}\ncat\n')
    path.chmod(0o755)
    return path


HOOKS = ("post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman", "pre-auto-gc")


def test_no_setting_of_a_user_and_no_attribute_of_a_file_runs_a_program(
    repository: Repository, opened: Open, program: Path, pwned: Path, tmp_path: Path
) -> None:
    """Hooks, filters, a monitor, a template, a credential helper, an alias, another URL."""
    for name in HOOKS:
        os.link(program, program.with_name(name))
    (program.parent / "hooks").symlink_to(program.parent)
    (program.parent / "attributes").write_text("* filter=evil\n")
    for path in (tmp_path / "home" / ".gitconfig", tmp_path / "home" / ".config" / "git" / "config"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CONFIG.format(folder=program.parent, program=program))
    files = {
        ".gitattributes": "* filter=evil text eol=crlf ident working-tree-encoding=UTF-16\n",
        "endpoints.yaml": "one\n$Id$\n",
        "infra/endpoints.yaml": "two\n",
    }
    as_they_are = repository.tree / ".git" / "info" / "attributes"
    as_they_are.parent.mkdir(exist_ok=True)
    as_they_are.write_text("* -filter -text -ident !working-tree-encoding\n")
    commit = repository.commit(files)
    source = opened(repository.bare)
    for _ in range(2):
        revision = source.fetch(source.poll())
        assert (revision.root / "endpoints.yaml").read_bytes() == b"one\n$Id$\n"
        (revision.root / "endpoints.yaml").write_text("damaged")
    assert source.fetch(commit).id == commit
    assert not pwned.exists(), pwned.read_text()


def test_an_embedded_repository_runs_nothing(
    repository: Repository, opened: Open, program: Path, pwned: Path
) -> None:
    """HEAD, objects, refs and a config among the files."""
    config = CONFIG.format(folder=program.parent, program=program)
    repository.commit({"HEAD": "ref: refs/heads/main\n", "config": config, "refs/x": "", "objects/x": ""})
    source = opened(repository.bare)
    for _ in range(2):
        assert source.fetch(source.poll()).subject == "Change the endpoints"
    assert not pwned.exists()


@pytest.mark.parametrize("name", [".git", "..", ".GIT", ".git ", "git~1", ".g\u200cit"])
def test_a_tree_that_writes_into_git_or_outside_is_refused(
    name: str, repository: Repository, opened: Open, tmp_path: Path
) -> None:
    """No `git add` makes it, and nothing keeps a server from having it."""
    blob = git(repository.bare, "hash-object", "-w", str(__file__))
    inner = tmp_path / "inner"
    inner.write_bytes(b"100644 escaped\0" + bytes.fromhex(blob))
    tree = git(repository.bare, "hash-object", "-w", "--literally", "-t", "tree", str(inner))
    outer = tmp_path / "outer"
    outer.write_bytes(b"40000 " + name.encode() + b"\0" + bytes.fromhex(tree))
    top = git(repository.bare, "hash-object", "-w", "--literally", "-t", "tree", str(outer))
    commit = git(repository.bare, "commit-tree", "-m", "x", top)
    git(repository.bare, "update-ref", "refs/heads/main", commit)
    with pytest.raises(SourceError) as caught:
        opened(repository.bare).fetch(commit)
    assert caught.value.problem.code == "git-unsafe"
    assert not list((tmp_path / "cache").rglob("escaped"))


@pytest.mark.parametrize("target", ["/etc", "../..", "other"])
def test_a_path_that_is_a_link_is_refused(target: str, repository: Repository, opened: Open) -> None:
    """Also one to a folder of the repository, which is not downloaded."""
    (repository.tree / "infra").symlink_to(target)
    commit = repository.commit({"other/endpoints.yaml": "one"})
    for path in ("infra", "infra/ssl"):
        with pytest.raises(SourceError) as caught:
            opened(repository.bare, path=path).fetch(commit)
        assert caught.value.problem.code == "git-path"


def test_a_path_that_is_no_folder_is_told(repository: Repository, opened: Open) -> None:
    commit = repository.commit({"infra": "a file"})
    for path in ("missing", "infra"):
        with pytest.raises(SourceError, match=f"has no folder {path}"):
            opened(repository.bare, path=path).fetch(commit)


def test_a_commit_that_is_refused_is_not_downloaded_again(repository: Repository, opened: Open) -> None:
    """The next poll finds the same commit."""
    commit = repository.commit({"other/endpoints.yaml": "one"})
    source = opened(repository.bare, path="infra")
    with pytest.raises(SourceError, match="has no folder infra"):
        source.fetch(commit)
    git(repository.bare, "update-ref", "-d", "refs/heads/main")
    (repository.bare / "objects").rename(repository.bare / "gone")
    with pytest.raises(SourceError, match="has no folder infra"):
        source.fetch(commit)


@pytest.mark.parametrize("place", ["endpoints", "endpoints/team"])
def test_endpoints_in_a_submodule_are_not_missing(
    place: str, repository: Repository, opened: Open, pwned: Path, tmp_path: Path
) -> None:
    """Its folder is empty, so its endpoints would be deleted. It is not fetched either."""
    commit = repository.commit({"endpoints.yaml": "one"})
    git(repository.tree, "update-index", "--add", "--cacheinfo", f"160000,{commit},infra/{place}")
    modules = f'[submodule "x"]\npath = infra/{place}\nurl = ext::sh -c "touch {pwned}"\n'
    (repository.tree / ".gitmodules").write_text(modules)
    git(repository.tree, "add", ".gitmodules")
    git(repository.tree, "commit", "--quiet", "-m", "Move the endpoints")
    repository.push()
    source = opened(repository.bare, path="infra")
    with pytest.raises(SourceError) as caught:
        source.fetch(source.poll())
    assert caught.value.problem.code == "git-submodule"
    assert f"infra/{place} is a submodule" in caught.value.problem.summary
    assert not pwned.exists()


def test_a_submodule_elsewhere_does_no_harm(repository: Repository, opened: Open) -> None:
    commit = repository.commit({"endpoints/a.yaml": "one"})
    git(repository.tree, "update-index", "--add", "--cacheinfo", f"160000,{commit},themes/docs")
    git(repository.tree, "commit", "--quiet", "-m", "Add a theme")
    repository.push()
    source = opened(repository.bare)
    assert source.fetch(source.poll()).subject == "Add a theme"


def test_author_and_subject_may_be_anything(repository: Repository, opened: Open) -> None:
    """They are bounded. Their escape is that of all foreign text."""
    (repository.tree / "x").write_text("x")
    git(repository.tree, "add", "x")
    author = "A \x1b[2J\u202e <a@b>"
    git(repository.tree, "commit", "--quiet", "--author", author, "-m", "s" * 5000 + "\n\nrest")
    repository.push()
    source = opened(repository.bare)
    revision = source.fetch(source.poll())
    assert revision.author == "A \x1b[2J\u202e"
    assert revision.subject == "s" * 200


def test_a_server_that_says_nothing_is_given_up(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all processes that git started for it."""
    monkeypatch.setattr(durations, "GIT_POLL_TIMEOUT", 0.5)
    with scripted_server(lambda _connection, over: over.wait() and None) as server:
        url = server.url
        before = time.monotonic()
        with pytest.raises(SourceError) as caught:
            opened(f"{url}/infra.git").poll()
    assert time.monotonic() - before < 10
    assert "did not answer within 0.5 s" in caught.value.problem.summary
    while is_on_a_command_line(url):
        assert time.monotonic() - before < 10


def test_a_download_ends_when_the_process_is_told_to_end(opened: Open) -> None:
    """SIGTERM leaves 30 s for everything, and a download may take 10 minutes."""
    with scripted_server(lambda _connection, over: over.wait() and None) as server:
        source = opened(f"{server.url}/infra.git")
        timer = threading.Timer(0.3, source.stop)
        timer.start()
        before = time.monotonic()
        with pytest.raises(SourceError, match="git was stopped"):
            source.poll()
        assert time.monotonic() - before < 5
        timer.join()
        with pytest.raises(SourceError, match="git was stopped"):
            source.fetch("a" * 40)


def is_on_a_command_line(text: str) -> bool:
    found = False
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found |= text.encode() in path.read_bytes()
    return found
