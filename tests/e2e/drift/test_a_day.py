"""A day in an infra repo: adopt what others made, review, merge, be woken by drift, settle it, sleep."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.desk import Sandbox

SECRET = "hf_nobody-may-see-this"


def git(folder: Path, *words: str) -> str:
    """A git command of somebody whose name is of no importance."""
    identity = ["-c", "user.name=dev", "-c", "user.email=dev@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True
    , timeout=60)  # fmt: skip
    return done.stdout.strip()


def made_elsewhere(desk: Sandbox) -> None:
    """Thirty endpoints from the console's form, no two alike."""
    for number in range(30):
        desk.sim.world.console_create(
            name=f"svc-{number:02}",
            appName=f"svc-{number:02}",
            workerConfig={"minNum": number % 3, "maxNum": 3 + number % 4, "freeTimeout": 60 + number},
            image={"image": f"ghcr.io/acme/svc-{number:02}:1.{number}"},
            envs=[{"key": "MODE", "value": f"m{number % 5}"}, {"key": "HF_TOKEN", "value": SECRET}],
            policy={"type": "concurrency" if number % 2 else "queue", "value": 4 + number},
            healthy={"path": "/health" if number % 2 else "/ping"},
        )


def exported(desk: Sandbox) -> None:
    """Fill the variables that .env.example names, as the person who adopts does, from the account."""
    live = desk.live()
    document = json.loads((desk.root / "import.json").read_text())
    for variable in document["variables"]:
        key = "HF_TOKEN" if variable["name"].endswith("HF_TOKEN") else "MODE"
        envs = live[variable["endpoints"][0]]["envs"]
        desk.monkeypatch.setenv(variable["name"], next(e["value"] for e in envs if e["key"] == key))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.fixture
def repo(desk: Sandbox) -> Sandbox:
    git(desk.root, "init", "-q", "-b", "main")
    desk.write(".gitignore", ".reconciler/\n/state/*\n!/state/novita.json\nreports/\n*.plan\nimport.json\n")
    return desk


def test_a_day(repo: Sandbox) -> None:
    """From the first import to the last quiet check, each step as a pipeline or a person would take it."""
    desk, world = repo, repo.sim.world
    made_elsewhere(desk)

    # morning: adopt all of it, and prove that nothing would change
    imported = desk.run("import", "--all", "--out", "endpoints.yaml", "--json")
    assert imported.code == 0, imported.err
    (desk.root / "import.json").write_text(imported.out)
    assert len(imported.document["imported"]) == 30
    exported(desk)
    empty = desk.plan()
    assert (empty.code, empty.actions) == (0, {})
    assert SECRET not in "".join(
        path.read_text() for path in desk.root.rglob("*") if path.is_file() and ".git/" not in str(path)
    )
    git(desk.root, "add", "-A")
    git(desk.root, "commit", "-qm", "Adopt what is there")

    # a pull request: one image, one scale; its plan and report
    git(desk.root, "switch", "-qc", "bump")
    yaml = desk.root / "endpoints.yaml"
    edit(yaml, "svc-03:1.3", "svc-03:1.4")
    edit(yaml, "svc-07:1.7", "svc-07:1.7\n    port: 8080")
    git(desk.root, "commit", "-qam", "Bump")
    reviewed = desk.run(
        "plan", "--markdown-into", "reports/pr.md", "--html-into", "reports/pr.html", "--detailed-exitcode"
    )
    assert reviewed.code == 2
    report = (desk.root / "reports/pr.md").read_text()
    assert "Plan: 0 to add, 2 to change, 0 to destroy." in report
    assert "svc-03" in report
    assert SECRET not in report + (desk.root / "reports/pr.html").read_text()

    # merged: the plan is saved for that commit, and performed as it was saved
    git(desk.root, "switch", "-q", "main")
    git(desk.root, "merge", "-q", "--no-ff", "-m", "Merge", "bump")
    assert desk.run("plan", "--out", "merge.plan", "--bind-commit").code == 0
    applied = desk.run("apply", "merge.plan", "--junit-into", "reports/apply.xml")
    assert applied.code == 0, applied.err
    assert "Apply complete! Resources: 0 added, 2 changed, 0 destroyed." in applied.out
    git(desk.root, "add", "-A")
    git(desk.root, "commit", "-qm", "Record what was applied")
    assert desk.run("drift").code == 0

    # at night: somebody changes two endpoints in the console, and deletes a third
    world.console_update(desk.id("svc-10"), healthy={"path": "/debug"})
    world.console_update(desk.id("svc-11"), workerConfig={"maxNum": 50})
    world.console_delete(desk.id("svc-12"))
    woken = desk.run("drift", "--json")
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
    assert desk.run("drift", "accept", "svc-11").code == 0
    assert git(desk.root, "diff", "--numstat", "--", "endpoints.yaml").split()[:2] == ["1", "1"]
    assert desk.run("drift", "revert", "svc-10", "--yes").code == 0
    assert desk.run("apply", "--target", "svc-12", "--yes").code == 0
    assert desk.live()["svc-10"]["healthy"]["path"] == "/ping"
    quiet = desk.run("drift")
    assert (quiet.code, quiet.out) == (0, "No drift. The account matches the last apply.\n")
    assert desk.plan().code == 0
    assert len(desk.live()) == 30
    assert os.environ["NOVITA_API_KEY"] not in (desk.root / "state/novita.json").read_text()
