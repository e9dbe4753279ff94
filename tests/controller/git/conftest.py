"""A repository, a server of it, and sources that follow it with the variables of a service."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.controller.git.address import GitAddress
from reconciler.controller.git.source import GitSource
from tests.git_server import GitHttpServer, Repository, git_http_server

Open = Callable[..., GitSource]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    return Repository.make(tmp_path)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The variables of a service: a cache of its own, and a home that nobody set up."""
    home = tmp_path / "home"
    home.mkdir()
    return {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.fixture
def opened(environ: dict[str, str]) -> Iterator[Open]:
    """Returns sources, and closes them at the end."""
    sources = []

    def make(url: object, ref: str = "", path: str = "", **more: str) -> GitSource:
        source = GitSource(GitAddress.parse(str(url), ref, path), {**environ, **more})
        sources.append(source)
        return source

    yield make
    for source in sources:
        source.close()


@pytest.fixture
def server(repository: Repository) -> Iterator[GitHttpServer]:
    with git_http_server(repository) as server:
        yield server
