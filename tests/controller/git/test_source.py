"""The commits of a ref as revisions: with a real git, from a folder and from a server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.model.errors import SourceError
from tests.controller.git.conftest import Open
from tests.git_server import GitHttpServer, Repository, git


def names(folder: Path) -> set[str]:
    """Return the files below a folder, without git's own."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if ".git" not in path.relative_to(folder).parts and not path.is_dir()
    }


def checkouts(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "cache").glob("novita-reconciler/git/*/*/*")}


@pytest.mark.parametrize("form", ["{bare}", "file://{bare}"])
def test_it_follows_a_branch_of_a_folder(form: str, repository: Repository, opened: Open) -> None:
    first = repository.commit({"endpoints.yaml": "one"})
    source = opened(form.format(bare=repository.bare))
    assert source.poll() == first
    earlier = source.fetch(first)
    second = repository.commit({"endpoints.yaml": "two"}, message="Say two\n\nAnd why.")
    assert source.poll() == second
    later = source.fetch(second)
    assert (later.root / "endpoints.yaml").read_text() == "two"
    assert (earlier.root / "endpoints.yaml").read_text() == "one"
    assert (later.id, later.author, later.subject) == (second, "Ada Lovelace", "Say two")
    assert later.message == "Say two (Ada Lovelace)"


def test_it_follows_a_branch_of_a_server(repository: Repository, server: GitHttpServer, opened: Open) -> None:
    commit = repository.commit({"endpoints.yaml": "one"})
    source = opened(server.url, "main")
    assert source.fetch(source.poll()).id == commit


def test_a_poll_is_one_question_that_does_not_grow_with_the_repository(
    repository: Repository, server: GitHttpServer, opened: Open
) -> None:
    """Git sends the question in a second request, after it has learned what the server can do."""
    repository.commit({"endpoints.yaml": "one"})
    many = (f"HEAD:refs/heads/other-{number}" for number in range(50))
    repository.push(*many)
    source = opened(server.url, "main")
    source.poll()
    assert [(method, path.partition("?")[0]) for method, path, _ in server.requests] == [
        ("GET", "/origin.git/info/refs"),
        ("POST", "/origin.git/git-upload-pack"),
    ]
    assert sum(size for *_, size in server.requests) < 1000


def test_only_the_path_is_downloaded(
    repository: Repository, server: GitHttpServer, opened: Open, tmp_path: Path
) -> None:
    """A large file elsewhere in the repository does not cross the network."""
    large = "\n".join(os.urandom(32).hex() for _ in range(40_000))
    repository.commit({"infra/gpu [1]/endpoints.yaml": "one", "infra/other.yaml": "x", "model.bin": large})
    source = opened(server.url, path="infra/gpu [1]/")
    revision = source.fetch(source.poll())
    assert names(revision.root) == {"endpoints.yaml"}
    assert names(revision.root.parent.parent) == {"infra/gpu [1]/endpoints.yaml"}
    size = sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*") if path.is_file())
    assert size < 100_000


def test_files_that_are_there_are_not_downloaded_again(
    repository: Repository, server: GitHttpServer, opened: Open
) -> None:
    """Not even by a new process."""
    commit = repository.commit({"infra/endpoints.yaml": "one"})
    source = opened(server.url, path="infra")
    first = source.fetch(commit)
    source.close()
    server.requests.clear()
    assert opened(server.url, path="infra").fetch(commit) == first
    assert server.requests == []


def test_the_commit_of_the_checkout_is_known_to_the_history(repository: Repository, opened: Open) -> None:
    """By the same question to git that the command line asks."""
    commit = repository.commit({"infra/endpoints.yaml": "one"})
    root = opened(repository.bare, path="infra").fetch(commit).root
    assert git(root, "rev-parse", "HEAD", "--show-toplevel").splitlines() == [commit, str(root.parent)]


def test_old_checkouts_are_removed_and_the_one_in_force_stays(
    repository: Repository, opened: Open, tmp_path: Path
) -> None:
    source = opened(repository.bare)
    commits = [repository.commit({"endpoints.yaml": str(number)}) for number in range(4)]
    revisions = [source.fetch(commit) for commit in commits]
    source.keep_only({commits[0], commits[3]})
    assert checkouts(tmp_path) == {commits[0], commits[3]}
    assert (revisions[0].root / "endpoints.yaml").read_text() == "0"


def test_two_processes_with_one_cache_do_not_share_checkouts(repository: Repository, opened: Open) -> None:
    """So neither removes or mends what the other one reads."""
    commit = repository.commit({"endpoints.yaml": "one"})
    one, other = opened(repository.bare), opened(repository.bare)
    first, second = one.fetch(commit), other.fetch(commit)
    assert first.root != second.root
    other.keep_only(())
    assert (first.root / "endpoints.yaml").read_text() == "one"


DAMAGES = {
    "a file is gone": lambda top: (top / "endpoints.yaml").unlink(),
    "a file is cut": lambda top: (top / "endpoints.yaml").write_text(""),
    "the index is broken": lambda top: (top / ".git" / "index").write_bytes(b"DIRC"),
    "the commit is gone": lambda top: shutil.rmtree(top / ".git" / "objects"),
    "git is gone": lambda top: shutil.rmtree(top / ".git"),
    "HEAD is another": lambda top: (top / ".git" / "HEAD").write_text("ref: refs/heads/main\n"),
    "the folder is gone": shutil.rmtree,
    "the folder is a file": lambda top: (shutil.rmtree(top), top.write_text("")),
    "all is gone": lambda top: shutil.rmtree(top.parents[2]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_cache_is_made_again(
    damage: Callable[[Path], object], repository: Repository, opened: Open
) -> None:
    commit = repository.commit({"endpoints.yaml": "one"})
    source = opened(repository.bare)
    damage(source.fetch(commit).root)
    assert (source.fetch(commit).root / "endpoints.yaml").read_text() == "one"


def test_an_aborted_download_leaves_nothing(repository: Repository, opened: Open, tmp_path: Path) -> None:
    commit = repository.commit({"endpoints.yaml": "one"})
    source = opened(repository.bare)
    with pytest.raises(SourceError) as caught:
        source.fetch("0" * 40)
    assert caught.value.problem.code == "git-no-commit"
    assert checkouts(tmp_path) == set()
    assert source.fetch(commit).id == commit


def test_a_killed_download_is_removed_by_the_next_process(
    repository: Repository, opened: Open, tmp_path: Path
) -> None:
    commit = repository.commit({"endpoints.yaml": "one"})
    source = opened(repository.bare)
    left = source.fetch(commit).root.with_name(f"new-{'a' * 40}")
    left.mkdir()
    source.close()
    opened(repository.bare).poll()
    assert checkouts(tmp_path) == {commit}


def test_a_forced_push_and_a_removed_ref(repository: Repository, opened: Open) -> None:
    first = repository.commit({"endpoints.yaml": "one"})
    source = opened(repository.bare, "main")
    earlier = source.fetch(source.poll())
    git(repository.tree, "commit", "--quiet", "--amend", "-m", "Another history")
    repository.push()
    second = source.poll()
    assert second != first
    assert source.fetch(second).subject == "Another history"
    git(repository.bare, "update-ref", "-d", "refs/heads/main")
    with pytest.raises(SourceError, match="has no ref main"):
        source.poll()
    assert source.fetch(first) == earlier


def test_a_commit_as_ref_is_asked_of_nobody(
    repository: Repository, server: GitHttpServer, opened: Open
) -> None:
    first = repository.commit({"endpoints.yaml": "one"})
    repository.commit({"endpoints.yaml": "two"})
    source = opened(server.url, first)
    assert source.poll() == first
    assert server.requests == []
    assert (source.fetch(first).root / "endpoints.yaml").read_text() == "one"
    with pytest.raises(SourceError) as caught:
        opened(server.url, first[:9]).poll()
    assert "in full" in caught.value.problem.hint


def test_a_tag_is_the_commit_behind_it(repository: Repository, opened: Open) -> None:
    commit = repository.commit({"endpoints.yaml": "one"})
    git(repository.tree, "tag", "-a", "-m", "Release", "v1")
    repository.push("v1")
    assert opened(repository.bare, "v1").poll() == commit
    assert opened(repository.bare, "refs/tags/v1").poll() == commit


def test_a_branch_and_a_tag_of_one_name(repository: Repository, opened: Open) -> None:
    repository.commit({"endpoints.yaml": "one"})
    repository.push("HEAD:refs/tags/main")
    commit = repository.commit({"endpoints.yaml": "two"})
    with pytest.raises(SourceError, match="both a branch and a tag"):
        opened(repository.bare, "main").poll()
    assert opened(repository.bare, "refs/heads/main").poll() == commit


def test_another_branch_whose_name_ends_alike_is_not_taken(repository: Repository, opened: Open) -> None:
    repository.commit({"endpoints.yaml": "one"})
    repository.push("HEAD:refs/heads/feature/release")
    with pytest.raises(SourceError, match="has no ref release"):
        opened(repository.bare, "release").poll()


def test_the_server_is_down_and_comes_back(
    repository: Repository, server: GitHttpServer, opened: Open
) -> None:
    commit = repository.commit({"endpoints.yaml": "one"})
    source = opened(server.url)
    in_force = source.fetch(source.poll())
    server.down = True
    for _ in range(3):
        with pytest.raises(SourceError) as caught:
            source.poll()
        assert caught.value.problem.code == "git-unreachable"
        assert "503" in caught.value.problem.summary
        assert source.fetch(commit) == in_force
    server.down = False
    assert source.poll() == commit


def test_git_is_not_installed(repository: Repository, opened: Open, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="git is not installed"):
        opened(repository.bare, PATH=str(tmp_path)).poll()


def test_git_is_too_old(repository: Repository, opened: Open, tmp_path: Path) -> None:
    """It would read the settings of users."""
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho git version 2.25.1\n")
    old.chmod(0o755)
    with pytest.raises(SourceError, match=r"git 2\.25 is too old"):
        opened(repository.bare, PATH=f"{old.parent}:{os.environ['PATH']}").poll()


def test_a_cache_that_cannot_be_written(repository: Repository, opened: Open, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError) as caught:
        opened(repository.bare, XDG_CACHE_HOME=str(tmp_path / "file")).poll()
    assert caught.value.problem.code == "git-cache"


def test_a_user_without_a_home_is_told_what_to_set(repository: Repository, opened: Open) -> None:
    with pytest.raises(SourceError) as caught:
        opened(repository.bare, XDG_CACHE_HOME="", HOME="~nobody-of-this-name").poll()
    assert "this user has no home" in caught.value.problem.summary
    assert "XDG_CACHE_HOME" in caught.value.problem.hint


def test_a_cache_that_others_can_write_is_refused(
    repository: Repository, opened: Open, tmp_path: Path
) -> None:
    source = opened(repository.bare)
    source.fetch(repository.commit({"endpoints.yaml": "one"}))
    source.close()
    (folder,) = (tmp_path / "cache" / "novita-reconciler" / "git").iterdir()
    folder.chmod(0o777)
    with pytest.raises(SourceError, match="other users can write there"):
        opened(repository.bare).poll()


def test_no_process_is_left(repository: Repository, server: GitHttpServer, opened: Open) -> None:
    repository.commit({"endpoints.yaml": "one"})
    source = opened(server.url)
    source.fetch(source.poll())
    own = subprocess.run(
        ["ps", "-o", "args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    )
    assert "git-remote" not in own.stdout
