"""Runs the jobs of a .gitlab-ci.yml as GitLab would: their lines in one bash, artifacts as copies."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .conftest import Infra
from .machine import Ended

JOB = {"stage", "script", "after_script", "needs", "artifacts", "resource_group", "environment", "rules"}
GLOBAL = {"variables", "default", "stages"}


@dataclass(kw_only=True)
class Pipeline:
    """One pipeline at one commit. `settings` are the variables of the project, which win over the file's."""

    infra: Infra
    settings: Mapping[str, str]
    sha: str = ""
    kept: dict[str, Path] = field(default_factory=dict)
    workspace: Path = field(default_factory=Path)

    def __post_init__(self) -> None:
        text = (self.infra.clone / ".gitlab-ci.yml").read_text()
        self.document: dict[str, Any] = yaml.safe_load(text)
        self.sha = self.sha or self.infra.git("rev-parse", "HEAD")

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        return {name: job for name, job in self.document.items() if name not in GLOBAL}

    def run(self, name: str) -> Ended:
        """A job in a fresh checkout, with the artifacts of the jobs that it needs."""
        job = self.jobs[name]
        assert job.keys() <= JOB, f"{name}: what is {job.keys() - JOB}?"
        assert job["stage"] in self.document["stages"]
        self.workspace = self.infra.checkout(self.sha)
        for need in job.get("needs", []):
            shutil.copytree(self.kept[need], self.workspace, dirs_exist_ok=True)
        machine = self.infra.machine
        before = [
            line for line in self.document["default"]["before_script"] if not machine.has_installed(line)
        ]
        lines = [*before, *job["script"]]
        ended = machine.run("\n".join(lines), self.workspace, self._environ(), ("bash", "-eo", "pipefail"))
        if after := job.get("after_script"):
            machine.run("\n".join(after), self.workspace, self._environ(), ("bash", "-eo", "pipefail"))
        self._keep(name, job.get("artifacts", {}), ended)
        return ended

    def _environ(self) -> dict[str, str]:
        known = {
            "GITLAB_CI": "true",
            "CI_COMMIT_SHA": self.sha,
            "CI_DEFAULT_BRANCH": "main",
            "CI_SERVER_HOST": "gitlab.example.org",
            "CI_PROJECT_PATH": "acme/infra",
            **self.settings,
        }
        for name, text in self.document["variables"].items():
            known.setdefault(name, re.sub(r"\$\{?(\w+)\}?", lambda found: known.get(found[1], ""), text))
        return known

    def _keep(self, name: str, artifacts: Mapping[str, Any], ended: Ended) -> None:
        """What the job leaves; after a failure only if it says so. A path that is not there is a mistake."""
        if ended.code != 0 and artifacts.get("when") != "always":
            return
        self.kept[name] = self.infra.machine.folder("artifacts")
        for path in [*artifacts.get("paths", []), *artifacts.get("reports", {}).values()]:
            if ended.code == 0 or (self.workspace / path).exists():
                shutil.copy(self.workspace / path, self.kept[name])
