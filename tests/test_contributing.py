"""Tests of what a contributor relies on: make targets, continuous integration, forms and hooks."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def load_yaml(path: str) -> Any:
    """Return the document in a file of the project."""
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def ci_jobs() -> dict[str, Any]:
    """Return the jobs of the project's own workflow."""
    jobs: dict[str, Any] = load_yaml(".github/workflows/ci.yml")["jobs"]
    return jobs


def test_make_lists_every_target() -> None:
    """`make` alone prints each phony target once, with one line on what it does."""
    done = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = [re.fullmatch(r"  make ([a-z-]+) +(\S.*)", line) for line in done.stdout.splitlines()]
    assert all(lines)
    assert [line[1] for line in lines if line] == TARGETS


def test_ci_calls_targets_and_scripts_that_exist() -> None:
    """A renamed target breaks here, before it breaks in a pull request."""
    commands = [step["run"] for job in ci_jobs().values() for step in job["steps"] if "run" in step]
    lines = [line for run in commands for line in re.findall(r"^make (.*)$", run, re.MULTILINE)]
    called = {name for line in lines for name in line.split()}
    assert called == {"lint", "quick", "site", "test", "wheel"}
    assert called <= set(TARGETS)
    assert all((ROOT / script).exists() for run in commands for script in re.findall(r"\.ci/\w+", run))


def test_ci_tests_every_python_that_the_package_names() -> None:
    """The matrix holds the lowest supported version and each one among the classifiers."""
    versions = ci_jobs()["test"]["strategy"]["matrix"]["python"]
    lowest = PROJECT["requires-python"].removeprefix(">=")
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert versions[0] == lowest
    assert named == versions


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_issue_forms_have_what_github_requires(path: Path) -> None:
    """GitHub ignores a form without a name, a description or a body with labels."""
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form["name"]
    assert form["description"]
    questions = [item for item in form["body"] if item["type"] != "markdown"]
    assert questions
    assert all(item["attributes"]["label"] and item["id"] for item in questions)


def test_hooks_run_the_checks_of_make_lint() -> None:
    """A commit that passes the hooks passes `make lint`."""
    lint = re.findall(r"^\t\$\(BIN\)/([\w-]+)", MAKEFILE.split("\nlint:")[1].split("\n\n")[0], re.MULTILINE)
    hooks = [hook for repo in load_yaml(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    assert {hook["entry"].split()[0] for hook in hooks} == {f".venv/bin/{program}" for program in lint}
