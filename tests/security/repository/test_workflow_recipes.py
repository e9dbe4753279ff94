"""The recipes: foreign actions by commit, no needless permission, no credentials left behind."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
OURS = "acme/novita-reconciler@"
WORKFLOWS = sorted(
    (*ROOT.glob("examples/**/.github/workflows/*.y*ml"), *ROOT.glob(".github/workflows/*.y*ml"))
)
ALL = [ROOT / "action.yml", *WORKFLOWS]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]
WRITES = {
    ("plan.yml", "plan"): {"pull-requests"},
    ("drift.yml", "drift"): {"issues"},
    ("apply.yml", "staging"): {"contents"},
    ("apply.yml", "apply"): {"contents"},
    ("pages.yml", "pages"): {"pages", "id-token"},
    ("release.yml", "build"): {"id-token", "attestations"},
    ("release.yml", "pypi"): {"id-token"},
    ("release.yml", "image"): {"packages", "id-token", "attestations"},
    ("release.yml", "release"): {"contents"},
}
KEYS = {"staging": "staging", "apply": "production"}
"""Job -> the environment of GitHub that holds its key; all others have that of plans."""


def jobs(path: Path) -> dict[str, Any]:
    document = yaml.safe_load(path.read_text())
    found: dict[str, Any] = {"": document["runs"]} if "runs" in document else document["jobs"]
    return found


def test_there_are_recipes() -> None:
    """Otherwise nothing below says anything."""
    assert {path.name for path in WORKFLOWS} >= {"plan.yml", "apply.yml", "drift.yml"}


@pytest.mark.parametrize("path", [*ALL, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_foreign_actions_are_pinned_by_commit(path: Path) -> None:
    """With the tag beside it, for people and for whoever brings it up to date; in documents as well."""
    for line in path.read_text().splitlines():
        found = re.match(r"\s*-?\s*uses:\s*(\S+)(.*)", line)
        if found and not found[1].startswith((OURS, "./")):
            assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", found[1]), line
            assert re.fullmatch(r" # v\d+(\.\d+)*", found[2]), line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_may_do_what_it_needs(path: Path) -> None:
    """Nothing by default, and by job no more than its one write; a checkout keeps no credentials."""
    document = yaml.safe_load(path.read_text())
    assert document["permissions"] == {}
    triggers = document[True]  # YAML reads `on` so
    assert "pull_request_target" not in triggers
    for name, job in jobs(path).items():
        written = {scope for scope, access in job["permissions"].items() if access == "write"}
        assert written <= WRITES.get((path.name, name), set())
        assert set(job["permissions"].values()) <= {"read", "write"}
        steps = job.get("steps", [])  # none if the job calls another workflow
        checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
        downloads = [step for step in steps if step.get("uses", "").startswith("actions/download-artifact@")]
        assert checkouts or downloads or job["uses"].startswith("./")
        assert all(step["with"]["persist-credentials"] is False for step in checkouts)
        has_key = any("NOVITA_API_KEY" in step.get("env", {}) for step in steps)
        assert not has_key or job["environment"] == KEYS.get(name, "plan")
        for step in steps:
            secret = {key for key, value in step.get("env", {}).items() if "secrets." in str(value)}
            assert not secret or step["uses"].startswith(OURS), "a secret goes to our action alone"
            assert "${{" not in step.get("run", "")


def test_the_script_speaks_to_github_with_its_token_alone(tmp_path: Path) -> None:
    """By the environment of git: neither on a command line, nor in a file, nor for another host."""
    repository = tmp_path / "repository"
    subprocess.run(["git", "init", "--quiet", str(repository)], check=True, timeout=60)
    script = (ROOT / "examples/infra-repo/ci.sh").read_text().split("# An earlier run")[0]
    urls = ("https://github.com/acme/infra", "https://evil.example/acme/infra")
    asked = "\n".join(f"git config --get-urlmatch http.extraheader {url} || echo none" for url in urls)
    path = repository / "ci.sh"
    path.write_text(script + asked)
    ran = subprocess.run(
        ["bash", str(path)],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), "GIT_TOKEN": "ghs_x"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert ran.stdout.splitlines() == ["Authorization: Basic eC1hY2Nlc3MtdG9rZW46Z2hzX3g=", "none"]
    assert "Basic" not in (repository / ".git/config").read_text()
