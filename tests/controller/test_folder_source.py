"""The folder of -C as a source: each change of a file that counts is a new revision."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.controller.source import FolderSource
from reconciler.model.errors import SourceError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "endpoints" / "team").mkdir(parents=True)
    for name in ("config.yaml", "endpoints.yaml", ".env", "endpoints/team/a.yaml"):
        (tmp_path / name).write_text("one")
    return tmp_path


CHANGES: dict[str, Callable[[Path], object]] = {
    "edited": lambda root: (root / "endpoints.yaml").write_text("other"),
    "edited below": lambda root: (root / "endpoints/team/a.yaml").write_text("other"),
    "settings": lambda root: (root / "config.yaml").write_text("other"),
    "variables": lambda root: (root / ".env").write_text("other"),
    "added": lambda root: (root / "endpoints/b.yaml").write_text("two"),
    "removed": lambda root: (root / "endpoints/team/a.yaml").unlink(),
    "renamed": lambda root: (root / "endpoints.yaml").rename(root / "endpoints.yml"),
    "replaced by one of the same size and time": lambda root: replaced(root / "endpoints.yaml"),
}


def replaced(path: Path) -> None:
    times = path.stat().st_mtime_ns
    other = path.with_name("other")
    other.write_text("two")
    os.utime(other, ns=(times, times))
    other.replace(path)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_a_new_revision(change: Callable[[Path], object], root: Path) -> None:
    source = FolderSource(root)
    before = source.poll()
    assert source.poll() == before
    change(root)
    assert source.poll() != before
    assert source.fetch(before).root == root


def test_the_inventory_beside_the_files_is_none_of_them(root: Path) -> None:
    """It changes at each apply, which must not be the reason of another round."""
    source = FolderSource(root)
    before = source.poll()
    (root / "state").mkdir()
    (root / "state" / "novita.json").write_text("{}")
    assert source.poll() == before


def test_files_that_were_named_count(root: Path) -> None:
    (root / "production").mkdir()
    (root / "production" / "a.yaml").write_text("one")
    source = FolderSource(root, [Path("production")])
    before = source.poll()
    (root / "production" / "a.yaml").write_text("other")
    assert source.poll() != before


def test_a_folder_that_is_gone_is_an_error_and_not_a_revision_without_files(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        FolderSource(tmp_path / "unmounted").poll()
    assert "no such file" in caught.value.problem.summary
