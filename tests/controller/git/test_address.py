"""--git, --ref and --path: what is accepted, and what would be an option or a program for git."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.controller.git.address import GitAddress
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import ExitCode

URL = "https://git.example.org/team/infra.git"


@pytest.mark.parametrize(
    ("url", "protocol"),
    [
        (URL, "https"),
        ("https://git.example.org:8443/infra", "https"),
        ("http://localhost:3000/infra.git", "http"),
        ("http://[::1]:3000/infra.git", "http"),
        ("ssh://git@git.example.org:2222/team/infra.git", "ssh"),
        ("ssh://git.example.org/infra.git", "ssh"),
        ("git@github.com:team/infra.git", "ssh"),
        ("github.com:team/infra.git", "ssh"),
        ("git@git.example.org:/srv/infra.git", "ssh"),
    ],
)
def test_a_url_is_given_to_git_as_it_is(url: str, protocol: str) -> None:
    address = GitAddress.parse(url)
    assert (address.url, address.protocol, address.ref, address.path) == (url, protocol, "HEAD", "")


def test_a_folder_is_an_absolute_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in (f"{tmp_path}/infra.git", "./infra.git", f"file://{tmp_path}/infra.git"):
        assert GitAddress.parse(text).url == f"file://{tmp_path}/infra.git"
        assert GitAddress.parse(text).protocol == "file"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "infra",
        "--upload-pack=touch /tmp/pwned",
        "-oProxyCommand=touch",
        "ext::sh -c touch% /tmp/pwned",
        "ext::/tmp/program",
        "fd::17",
        "transport::address",
        "git://git.example.org/infra.git",
        "ftp://git.example.org/infra.git",
        "http://git.example.org/infra.git",
        "file://host/srv/infra.git",
        "https://",
        "https:///infra.git",
        "https://git.example.org",
        "https://git..example.org/infra.git",
        "https://git.example.org:99999/infra.git",
        "https://git.example.org/infra.git#main",
        "ssh://-oProxyCommand=touch/infra.git",
        "ssh://-git@git.example.org/infra.git",
        "ssh://git@-git.example.org/infra.git",
        "ssh://git%40x@git.example.org/infra.git",
        "-oProxyCommand=touch@git.example.org:infra.git",
        "-git.example.org:infra.git",
        "git@git.example.org:--upload-pack=x",
        "git@git.example.org::infra",
        "git@[::1]:infra.git",
        "https://git.example.org/a b.git",
        "https://git.example.org/infra.git\n[core]",
        "https://git.example.org/\x1b[2Jinfra.git",
    ],
)
def test_what_is_no_url_of_a_repository_is_refused(url: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        GitAddress.parse(url)
    assert caught.value.command_exit_code == ExitCode.USAGE
    assert caught.value.problem.summary.startswith("--git ")


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:hunter2@git.example.org/infra.git",
        "https://hunter2@git.example.org/infra.git",
        "https://git.example.org/infra.git?private_token=hunter2",
        "ssh://git:hunter2@git.example.org/infra.git",
        "http://ada:hunter2@localhost/infra.git",
        "ftp://ada:hunter2@git.example.org/infra.git",
        "https://ada:hunter2@git.example.org:port/infra.git",
    ],
)
def test_a_secret_in_the_url_is_refused_and_not_repeated(url: str) -> None:
    """Everybody on the machine sees it in the list of processes."""
    with pytest.raises(InvalidConfig) as caught:
        GitAddress.parse(url)
    problem = caught.value.problem
    assert "hunter2" not in f"{problem.summary}{problem.detail}{problem.hint}"


@pytest.mark.parametrize("ref", ["main", "refs/heads/main", "v1.2", "feature/a-b", "HEAD", "é", "@"])
def test_names_of_refs(ref: str) -> None:
    assert GitAddress.parse(URL, ref).ref == ref


@pytest.mark.parametrize(
    "ref",
    [
        "-main",
        "--upload-pack=touch",
        "a b",
        "a..b",
        "a~1",
        "a^{}",
        "a:b",
        "a*",
        "a?",
        "a[b",
        "a\\b",
        "a@{1}",
        "a//b",
        "/a",
        "a/",
        "a.",
        ".a",
        "a/.b",
        "a.lock",
        "a.lock/b",
        "a\nb",
        "a\x7f",
    ],
)
def test_what_is_no_name_of_a_ref(ref: str) -> None:
    with pytest.raises(InvalidConfig, match="--ref"):
        GitAddress.parse(URL, ref)


def test_a_whole_commit_is_one_with_all_digits() -> None:
    assert GitAddress.parse(URL, "a" * 40).commit == "a" * 40
    assert GitAddress.parse(URL, "a" * 64).commit == "a" * 64
    for ref in ("a" * 39, "A" * 40, "a" * 40 + "/x", "main"):
        assert GitAddress.parse(URL, ref).commit == ""


@pytest.mark.parametrize(
    ("text", "path"), [("", ""), (".", ""), ("./infra//gpu/", "infra/gpu"), ("a b/[c]", "a b/[c]")]
)
def test_paths(text: str, path: str) -> None:
    assert GitAddress.parse(URL, "", text).path == path


@pytest.mark.parametrize(
    "path",
    ["/etc", "..", "infra/../..", "infra/..", ".git", "infra/.GIT/hooks", "a\\..\\b", "a\nb", "a\x1bb"],
)
def test_paths_that_lead_out(path: str) -> None:
    with pytest.raises(InvalidConfig, match="--path"):
        GitAddress.parse(URL, "", path)


def test_other_repositories_and_paths_have_other_caches() -> None:
    digests = {
        GitAddress.parse(url, ref, path).digest
        for url in (URL, "git@github.com:team/infra.git")
        for path in ("", "infra")
        for ref in ("main", "next")
    }
    assert len(digests) == 4
