"""A day in an infra repo: adopt what others made, review, merge, be woken by drift, settle it, sleep."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox

SECRET = "hf_nobody-may-see-this"


def git(folder: Path, *words: str) -> str:
    """A git command of somebody whose name is of no importance."""
    identity = ["-c", "user.name=dev", "-c", "user.email=dev@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True
    , timeout=60)  # fmt: skip
    return done.stdout.strip()


def made_elsewhere(sandbox: Sandbox) -> None:
    """Thirty endpoints from the console's form, no two alike."""
    for number in range(30):
        sandbox.sim.world.console_create(
            name=f"svc-{number:02}",
            appName=f"svc-{number:02}",
            workerConfig={"minNum": number % 3, "maxNum": 3 + number % 4, "freeTimeout": 60 + number},
            image={"image": f"ghcr.io/acme/svc-{number:02}:1.{number}"},
            envs=[{"key": "MODE", "value": f"m{number % 5}"}, {"key": "HF_TOKEN", "value": SECRET}],
            policy={"type": "concurrency" if number % 2 else "queue", "value": 4 + number},
            healthy={"path": "/health" if number % 2 else "/ping"},
        )


def exported(sandbox: Sandbox) -> None:
    """Fill the variables that .env.example names, as the person who adopts does, from the account."""
    live = sandbox.live()
    document = json.loads((sandbox.root / "import.json").read_text())
    for variable in document["variables"]:
        key = "HF_TOKEN" if variable["name"].endswith("HF_TOKEN") else "MODE"
        envs = live[variable["endpoints"][0]]["envs"]
        sandbox.monkeypatch.setenv(variable["name"], next(e["value"] for e in envs if e["key"] == key))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.fixture
def repo(sandbox: Sandbox) -> Sandbox:
    git(sandbox.root, "init", "-q", "-b", "main")
    sandbox.write(
        ".gitignore", ".reconciler/\n/state/*\n!/state/novita.json\nreports/\n*.plan\nimport.json\n"
    )
    return sandbox


def test_a_day(repo: Sandbox) -> None:
    """From the first import to the last quiet check, each step as a pipeline or a person would take it."""
    sandbox, world = repo, repo.sim.world
    made_elsewhere(sandbox)

    # morning: adopt all of it, and prove that nothing would change
    imported = sandbox.run("import", "--all", "--out", "endpoints.yaml", "--json")
    assert imported.code == 0, imported.err
    (sandbox.root / "import.json").write_text(imported.out)
    assert len(imported.document["imported"]) == 30
    exported(sandbox)
    empty = sandbox.plan()
    assert (empty.code, empty.actions) == (0, {})
    assert SECRET not in "".join(
        path.read_text() for path in sandbox.root.rglob("*") if path.is_file() and ".git/" not in str(path)
    )
    git(sandbox.root, "add", "-A")
    git(sandbox.root, "commit", "-qm", "Adopt what is there")

    # a pull request: one image, one scale; its plan and report
    git(sandbox.root, "switch", "-qc", "bump")
    yaml = sandbox.root / "endpoints.yaml"
    edit(yaml, "svc-03:1.3", "svc-03:1.4")
    edit(yaml, "svc-07:1.7", "svc-07:1.7\n    port: 8080")
    git(sandbox.root, "commit", "-qam", "Bump")
    reviewed = sandbox.run(
        "plan", "--markdown-into", "reports/pr.md", "--html-into", "reports/pr.html", "--detailed-exitcode"
    )
    assert reviewed.code == 2
    report = (sandbox.root / "reports/pr.md").read_text()
    assert "Plan: 0 to add, 2 to change, 0 to destroy." in report
    assert "svc-03" in report
    assert SECRET not in report + (sandbox.root / "reports/pr.html").read_text()

    # merged: the plan is saved for that commit, and performed as it was saved
    git(sandbox.root, "switch", "-q", "main")
    git(sandbox.root, "merge", "-q", "--no-ff", "-m", "Merge", "bump")
    assert sandbox.run("plan", "--out", "merge.plan", "--bind-commit").code == 0
    applied = sandbox.run("apply", "merge.plan", "--junit-into", "reports/apply.xml")
    assert applied.code == 0, applied.err
    assert "Apply complete! Resources: 0 added, 2 changed, 0 destroyed." in applied.out
    git(sandbox.root, "add", "-A")
    git(sandbox.root, "commit", "-qm", "Record what was applied")
    assert sandbox.run("drift").code == 0

    # at night: somebody changes two endpoints in the console, and deletes a third
    world.console_update(sandbox.id("svc-10"), healthy={"path": "/debug"})
    world.console_update(sandbox.id("svc-11"), workerConfig={"maxNum": 50})
    world.console_delete(sandbox.id("svc-12"))
    woken = sandbox.run("drift", "--json")
    assert woken.code == 2
    assert {
        one["name"]: [(".".join(field["path"]), field["cause"]) for field in one["fields"]]
        for one in woken.document["resource_drift"]
    } == {
        "svc-10": [("healthy.path", "drift")],
        "svc-11": [("workerConfig.maxNum", "drift")],
        "svc-12": [],
    }

    # one is accepted, one reverted, one made again
    assert sandbox.run("drift", "accept", "svc-11").code == 0
    assert git(sandbox.root, "diff", "--numstat", "--", "endpoints.yaml").split()[:2] == ["1", "1"]
    assert sandbox.run("drift", "revert", "svc-10", "--yes").code == 0
    assert sandbox.run("apply", "--target", "svc-12", "--yes").code == 0
    assert sandbox.live()["svc-10"]["healthy"]["path"] == "/ping"
    quiet = sandbox.run("drift")
    assert (quiet.code, quiet.out) == (0, "No drift. The account matches the last apply.\n")
    assert sandbox.plan().code == 0
    assert len(sandbox.live()) == 30
    assert os.environ["NOVITA_API_KEY"] not in (sandbox.root / "state/novita.json").read_text()
