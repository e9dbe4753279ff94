"""The documentation site, built once as `make site` builds it."""

from __future__ import annotations

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parent.parent.parent


class Document(HTMLParser):
    """What a page has: its identifiers, links, and what a browser loads for it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        have = {name: value or "" for name, value in attributes}
        self.tags.append(tag)
        self.ids.update(have[name] for name in ("id", "name") if have.get(name))
        if tag == "a" and "href" in have:
            self.links.append(have["href"])
        if tag == "link" and have.get("rel") not in {"canonical", "next", "prev"}:
            self.loaded.append(have["href"])
        self.loaded += [have[name] for name in ("src", "srcset", "poster", "data") if have.get(name)]
        self.links += [have["href"]] if tag == "link" and have.get("rel") in {"next", "prev"} else []


class Site:
    """The folder of the site and its pages by path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.texts = {
            path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(folder.rglob("*.html"))
        }
        self.pages = {name: Document(text) for name, text in self.texts.items()}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """One process of a run in parallel builds it, and the others read it."""
    folder = (
        tmp_path_factory.getbasetemp().parent
        / f"site-{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
    )
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            build(folder)
    return Site(folder)


def build(folder: Path) -> None:
    """Do what `make site` does."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
