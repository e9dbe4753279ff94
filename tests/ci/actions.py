"""Runs a workflow file as GitHub would: its `run:` steps by bash, in order, with the files they write to.

Foreign actions are replaced by what they do here: a checkout is a clone, an artifact is a copy.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.github_action.fake import GitHub

from .conftest import Infra
from .expressions import Outputs, condition, evaluated, interpolated
from .machine import Machine

OURS = "acme/novita-reconciler@v0"
BASH = {None: ("bash", "-e"), "bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail")}
STEP = {"id", "if", "uses", "with", "run", "shell", "env", "name"}
JOB = {"needs", "if", "runs-on", "environment", "permissions", "outputs", "steps", "strategy"}
FOREIGN = (
    "actions/checkout",
    "actions/setup-python",
    "actions/upload-artifact",
    "actions/download-artifact",
    "actions/cache",
)


@dataclass(kw_only=True)
class Steps:
    """The steps of one job, or of one composite action, and how they went."""

    workspace: Path
    names: dict[str, Any]
    environ: dict[str, str]
    success: bool = True
    log: str = ""
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Job:
    """How a job ended: `success`, `failure` or `skipped`."""

    result: str
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)


def _combinations(key: str, job: Mapping[str, Any]) -> list[tuple[str, dict[str, str]]]:
    """Return the name and the values of each job of a matrix, which here has one dimension."""
    if "strategy" not in job:
        return [(key, {})]
    ((dimension, values),) = job["strategy"]["matrix"].items()
    return [(f"{key} ({value})", {dimension: value}) for value in values]


@dataclass(kw_only=True)
class Runner:
    """One event of one repository, at that commit or branch.

    `environ` is a job's way to the account; `before` is what happens in the world before a job begins,
    such as a change while it awaits its approval.
    """

    machine: Machine
    infra: Infra
    hub: GitHub
    secrets: Mapping[str, str]
    environ: Mapping[str, str]
    event_name: str = "push"
    event: Mapping[str, Any] = field(default_factory=dict)
    sha: str = ""
    at: str = "main"
    before: dict[str, Callable[[], object]] = field(default_factory=dict)

    def workflow(self, name: str) -> dict[str, Job]:
        """All jobs of a workflow of the example, each after those that it needs."""
        text = (self.infra.clone / ".github/workflows" / name).read_text()
        document = yaml.load(text, Loader=yaml.BaseLoader)
        self.sha = self.infra.machine.git(self.infra.remote, "rev-parse", self.at)
        artifacts = self.machine.folder("artifacts")
        jobs: dict[str, Job] = {}
        for key, job in document["jobs"].items():
            assert job.keys() <= JOB, f"{key}: what is {job.keys() - JOB}?"
            needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
            fine = all(jobs[need].result == "success" for need in needs)
            context = {
                "needs": {need: {"outputs": Outputs(jobs[need].outputs)} for need in needs},
                "success": fine,
            }
            for name, values in _combinations(key, job):
                if condition(job.get("if"), context):
                    self.before.get(name, lambda: None)()
                    jobs[name] = self.job(job, {**context, "matrix": values}, artifacts)
                else:
                    jobs[name] = Job(result="skipped")
        return jobs

    def job(self, job: Mapping[str, Any], context: Mapping[str, Any], artifacts: Path) -> Job:
        steps = Steps(
            workspace=self.machine.folder("workspace"),
            names={**context, "secrets": self.secrets, "github": self.github, "artifacts": artifacts},
            environ=self.job_environ,
        )
        self.perform(job["steps"], steps)
        names = {**steps.names, "steps": steps.outputs}
        outputs = {key: interpolated(text, names) for key, text in job.get("outputs", {}).items()}
        return Job(result="success" if steps.success else "failure", log=steps.log, outputs=outputs)

    def action(self, workspace: Path | None = None, **inputs: str) -> tuple[Steps, dict[str, str]]:
        """Our action alone, in a checkout of the main branch if not said where; its steps and its outputs.

        Its environment is production, unless an input names another one.
        """
        inputs = {"environment": "production", **inputs}
        steps = Steps(
            workspace=workspace or self.infra.checkout(),
            names={"github": self.github},
            environ=self.job_environ,
        )
        return steps, self.composite(inputs, steps, dict(self.secrets))

    @property
    def github(self) -> dict[str, Any]:
        return {
            "token": self.hub.environ["GITHUB_TOKEN"],
            "event_name": self.event_name,
            "ref": "refs/heads/main",
        }

    @property
    def job_environ(self) -> dict[str, str]:
        temp = self.machine.folder("temp")
        (temp / "event.json").write_text(json.dumps(self.event))
        where = {name: value for name, value in self.hub.environ.items() if name != "GITHUB_TOKEN"}
        return {
            **self.environ,
            **where,
            "GITHUB_ACTIONS": "true",
            "GITHUB_SHA": self.sha,
            "GITHUB_EVENT_PATH": str(temp / "event.json"),
            "GITHUB_STEP_SUMMARY": str(temp / "summary.md"),
            "RUNNER_TEMP": str(temp),
        }

    def perform(
        self, todo: list[dict[str, Any]], steps: Steps, extra: Mapping[str, str] | None = None
    ) -> None:
        """Steps in order; after a failure only those that ask for it."""
        for step in todo:
            assert step.keys() <= STEP, f"what is {step.keys() - STEP}?"
            names = {**steps.names, "steps": steps.outputs, "success": steps.success}
            if not condition(step.get("if"), names):
                steps.outputs[step.get("id", "")] = {"outputs": Outputs()}
                continue
            given = {key: interpolated(text, names) for key, text in step.get("env", {}).items()}
            environ = {**(extra or {}), **given}
            if "uses" in step:
                inputs = {key: interpolated(text, names) for key, text in step.get("with", {}).items()}
                outputs = self.use(step["uses"], inputs, steps, environ)
            else:
                outputs = self.script(step, steps, environ)
            steps.outputs[step.get("id", "")] = {"outputs": Outputs(outputs)}

    def script(self, step: Mapping[str, Any], steps: Steps, extra: Mapping[str, str]) -> dict[str, str]:
        assert "${{" not in step["run"], "what comes from outside must come as a variable"
        if self.machine.has_installed(step["run"]):
            return {}
        output = Path(steps.environ["RUNNER_TEMP"]) / "output"
        output.write_text("")
        added = output.with_name("path")
        environ = {**steps.environ, **extra, "GITHUB_OUTPUT": str(output), "GITHUB_PATH": str(added)}
        ended = self.machine.run(step["run"], steps.workspace, environ, BASH[step.get("shell")])
        steps.log += ended.log
        steps.success = steps.success and ended.code == 0
        return dict(line.split("=", 1) for line in output.read_text().splitlines())

    def use(
        self, action: str, inputs: dict[str, str], steps: Steps, extra: Mapping[str, str]
    ) -> dict[str, str]:
        if action == OURS:
            return self.composite(inputs, steps, extra)
        name = action.split("@")[0]
        assert name in FOREIGN, f"{action} has no stand-in here"
        if name == "actions/checkout":
            assert inputs == {"persist-credentials": "false"}
            self.machine.git(steps.workspace, "clone", "--quiet", str(self.infra.remote), ".")
            self.machine.git(steps.workspace, "checkout", "--quiet", "-B", "main", self.sha)
        elif name == "actions/upload-artifact":
            folder = steps.names["artifacts"] / inputs["name"]
            folder.mkdir()
            shutil.copy(steps.workspace / inputs["path"], folder)
        elif name == "actions/download-artifact":
            shutil.copytree(steps.names["artifacts"] / inputs["name"], steps.workspace, dirs_exist_ok=True)
        elif name == "actions/cache":
            return self.machine.restore(inputs["key"], Path(inputs["path"]))
        return {}

    def composite(self, inputs: Mapping[str, str], steps: Steps, extra: Mapping[str, str]) -> dict[str, str]:
        document = yaml.load((self.machine.tool / "action.yml").read_text(), Loader=yaml.BaseLoader)
        assert document["runs"]["using"] == "composite"
        assert inputs.keys() <= document["inputs"].keys()
        given: dict[str, str] = {}
        for name, about in document["inputs"].items():
            assert name in inputs or about.get("required") != "true", f"{name} is required"
            given[name] = interpolated(inputs.get(name, about.get("default", "")), steps.names)
        inner = Steps(
            workspace=steps.workspace,
            names={"inputs": given, "github": steps.names["github"]},
            environ={**steps.environ, "GITHUB_ACTION_PATH": str(self.machine.tool)},
        )
        self.perform(document["runs"]["steps"], inner, extra)
        if inner.success:
            self.machine.save()
        steps.log += inner.log
        steps.success = steps.success and inner.success
        names = {"steps": inner.outputs}
        return {
            key: str(evaluated(about["value"].strip()[3:-2], names))
            for key, about in document["outputs"].items()
        }
