"""The release of a tag: its notes, its workflow, and the name of the account that publishes it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\./\.github/workflows/ci\.yml")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with version 1.2.3 of the package and its changelog."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "release-notes", tmp_path / ".ci")
    (tmp_path / "reconciler").mkdir()
    (tmp_path / "reconciler" / "__init__.py").write_text('__version__ = "1.2.3"\n')
    write_changelog(tmp_path, "## 1.2.3 - 2026-11-29\n\n### Added\n\n- A thing.\n")
    return tmp_path


def write_changelog(checkout: Path, section: str) -> None:
    text = f"# Changelog\n\n## Unreleased\n\n- Later.\n\n{section}\n## 1.2.2 - 2026-11-01\n\n- Earlier.\n"
    (checkout / "CHANGELOG.md").write_text(text)


def notes(checkout: Path, tag: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([checkout / ".ci" / "release-notes", tag], capture_output=True, text=True)


def test_the_notes_of_a_release_are_its_section_of_the_changelog(checkout: Path) -> None:
    done = notes(checkout, "v1.2.3")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "### Added\n\n- A thing.\n"


@pytest.mark.parametrize(
    ("tag", "section", "why"),
    [
        ("v1.2.4", "## 1.2.4 - 2026-11-29\n\n- A thing.\n", "has version 1.2.3"),
        ("v1.2.3", "", 'no text under "## 1.2.3 - DATE"'),
        ("v1.2.3", "## 1.2.3 - 2026-11-29\n\n", 'no text under "## 1.2.3 - DATE"'),
        ("v1.2.3", "## 1.2.30 - 2026-11-29\n\n- A thing.\n", 'no text under "## 1.2.3 - DATE"'),
        ("1.2.3", "## 1.2.3 - 2026-11-29\n\n- A thing.\n", "is not a tag"),
    ],
)
def test_a_tag_that_nobody_prepared_is_not_released(checkout: Path, tag: str, section: str, why: str) -> None:
    write_changelog(checkout, section)

    done = notes(checkout, tag)

    assert done.returncode != 0
    assert why in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_foreign_action_is_pinned_to_a_commit(path: Path) -> None:
    """A tag can be moved to other code; a commit cannot."""
    uses = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))

    assert uses
    assert [use for use in uses if not PINNED.fullmatch(use)] == []


def test_each_job_of_a_release_has_only_the_rights_that_it_needs() -> None:
    workflow: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
    jobs = workflow["jobs"]
    signing = {"id-token": "write", "attestations": "write"}

    assert workflow["permissions"] == {}
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "test": {"contents": "read"},
        "build": {"contents": "read", **signing},
        "pypi": {"id-token": "write"},
        "image": {"contents": "read", "packages": "write", **signing},
        "release": {"contents": "write"},
    }
    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "test": None,
        "build": "test",
        "pypi": "build",
        "image": "build",
        "release": ["pypi", "image"],
    }
    scripts = [step["run"] for job in jobs.values() for step in job.get("steps", []) if "run" in step]
    assert not any("${{" in script for script in scripts)  # a tag name would be executed


def test_one_command_names_the_account_that_publishes(tmp_path: Path) -> None:
    """After `make owner` no file names the placeholder any more, and all links lead to the new account."""
    checkout = tmp_path / "checkout"
    subprocess.run(["git", "clone", "-q", "--depth", "1", ROOT.as_uri(), checkout], check=True)

    subprocess.run(["make", "-s", "owner", "OWNER=north"], cwd=checkout, check=True, capture_output=True)

    found = subprocess.run(["git", "grep", "-l", "acme/novita-reconciler"], cwd=checkout, capture_output=True)
    assert found.stdout == b""
    assert "https://github.com/north/novita-reconciler/issues" in (checkout / "pyproject.toml").read_text()
