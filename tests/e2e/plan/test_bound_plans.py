"""Saved plans that are bound to the commit of their files."""

import json
import subprocess

import pytest

from tests.e2e.sandbox import CommandResult, Sandbox, item

VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA")


@pytest.fixture(autouse=True)
def _no_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def git(sandbox: Sandbox, *args: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(
        ["git", *identity, *args], cwd=sandbox.root, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


def commit(sandbox: Sandbox, *paths: str) -> str:
    """A commit of everything, or of these files; its SHA."""
    git(sandbox, "add", *(paths or ("-A",)))
    git(sandbox, "commit", "--quiet", "--allow-empty", "-m", "as it is")
    return git(sandbox, "rev-parse", "HEAD")


def repository(sandbox: Sandbox) -> str:
    """A repository of the sandbox's files, one endpoint among them; its first commit."""
    sandbox.declare(item("chat"))
    git(sandbox, "init", "--quiet")
    return commit(sandbox)


def bound(sandbox: Sandbox, *args: str) -> CommandResult:
    """A plan saved to the.plan and bound."""
    ran = sandbox.run("plan", "--out", "the.plan", "--bind-commit", *args)
    assert ran.code == 0, ran.err
    return ran


def refused(sandbox: Sandbox, then: str, now: str, *args: str) -> None:
    """An apply that ends with 6, names both commits, and reaches neither the account nor the disk."""
    before, calls = sandbox.files(), len(sandbox.sim.requests)
    ran = sandbox.run("apply", *args)
    assert ran.code == 6
    assert "is stale" in ran.err
    assert f"commit: it was made at {then}, this is {now}\n" in ran.err
    assert f"git checkout {then}" in ran.err
    document = sandbox.run("apply", *args, "--json")
    assert document.code == document.document["exit_code"] == 6
    assert document.codes == ["stale-plan"]
    assert sandbox.files() == before
    assert len(sandbox.sim.requests) == calls


def test_it_is_performed_at_its_commit(sandbox: Sandbox) -> None:
    """The commit stands in the plan in full, and the apply that finds it again goes ahead unasked."""
    sha = repository(sandbox)
    assert "Warning" not in bound(sandbox).err
    assert json.loads((sandbox.root / "the.plan").read_text())["saved_plan"]["commit"] == sha
    assert "1 added" in sandbox.run("apply", "the.plan").out


def test_it_is_refused_at_another_commit(sandbox: Sandbox) -> None:
    """Although nothing else moved; back at its commit it holds."""
    then = repository(sandbox)
    bound(sandbox)
    now = commit(sandbox, "specs.yaml")
    refused(sandbox, then, now, "the.plan")
    git(sandbox, "checkout", "--quiet", then)
    assert sandbox.run("apply", "the.plan").code == 0


def test_an_empty_plan_is_bound_as_well(sandbox: Sandbox) -> None:
    """There is nothing to do at either commit, and the other one is refused all the same."""
    repository(sandbox)
    sandbox.apply()
    then = commit(sandbox, "state/novita.json")
    bound(sandbox)
    refused(sandbox, then, commit(sandbox, "specs.yaml"), "the.plan")


def test_a_plan_without_a_commit_goes_anywhere(sandbox: Sandbox) -> None:
    """Unbound, and saved by a version that knew of no commits."""
    repository(sandbox)
    assert sandbox.run("plan", "--out", "the.plan").code == 0
    document = json.loads((sandbox.root / "the.plan").read_text())
    assert document["saved_plan"].pop("commit") is None
    sandbox.write("the.plan", document)
    commit(sandbox, "specs.yaml")
    assert sandbox.run("apply", "the.plan").code == 0


def test_resuming_keeps_the_binding(sandbox: Sandbox) -> None:
    """What a bound plan left unfinished is finished at its commit, and at no other."""
    then = repository(sandbox)
    sandbox.declare(item("chat"), item("embed"))
    then = commit(sandbox, "endpoints.yaml")
    bound(sandbox)
    sandbox.killed("create", command=("apply", "the.plan"))
    now = commit(sandbox, "specs.yaml")
    refused(sandbox, then, now, "--resume")
    git(sandbox, "checkout", "--quiet", then)
    ran = sandbox.run("apply", "--resume")
    assert ran.code == 0, ran.err
    assert sorted(sandbox.live()) == ["chat", "embed"]


@pytest.mark.parametrize("name", VARIABLES)
def test_the_pipeline_knows_the_commit_where_git_does_not(
    name: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An artefact without a .git is planned and applied under the SHA of its job."""
    sandbox.declare(item("chat"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(sandbox.root.parent))
    monkeypatch.setenv(name, "a" * 40)
    bound(sandbox)
    monkeypatch.setenv(name, "b" * 40)
    refused(sandbox, "a" * 40, "b" * 40, "the.plan")
    monkeypatch.setenv(name, "a" * 40)
    assert sandbox.run("apply", "the.plan").code == 0


@pytest.mark.parametrize("path", ["", "/nowhere"], ids=["no-repository", "no-git"])
def test_no_commit_is_a_problem(path: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a checkout nor a pipeline: nothing is planned, and the way out is told."""
    sandbox.declare(item("chat"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(sandbox.root.parent))
    if path:
        monkeypatch.setenv("PATH", path)
    ran = sandbox.run("plan", "--out", "the.plan", "--bind-commit")
    assert ran.code == 1
    assert "cannot determine the current commit" in ran.err
    assert "set GITHUB_SHA or CI_COMMIT_SHA, or plan without --bind-commit" in ran.err
    assert not (sandbox.root / "the.plan").exists()
    assert sandbox.sim.requests == []


def test_binding_without_a_file_is_a_usage_error(sandbox: Sandbox) -> None:
    """There is nothing to bind."""
    ran = sandbox.run("plan", "--bind-commit")
    assert ran.code == 64
    assert "--bind-commit requires --out FILE" in ran.err


def test_files_that_differ_from_the_commit_are_named(sandbox: Sandbox) -> None:
    """Changed, new, ignored and foreign ones; what is as committed is not named, nor what was not read."""
    sandbox.write(".gitignore", "config.yaml\n")
    repository(sandbox)
    (sandbox.root.parent / "outside.json").write_text(json.dumps({"endpoints": [item("outside")]}))
    sandbox.declare(item("chat", replicas=2))
    sandbox.write("endpoints/né w.yaml", {"endpoints": [item("new")]})
    sandbox.write("notes.yaml", "not: read\n")
    every = ("endpoints.yaml", "endpoints", "../outside.json")
    ran = bound(sandbox, *(word for name in every for word in ("-f", name)))
    files = "config.yaml, endpoints.yaml, endpoints/né w.yaml, ../outside.json"
    assert f"Warning: {files}: not as in the commit that the plan is bound to" in ran.err
    problems = json.loads((sandbox.root / "the.plan").read_text())["problems"]
    assert [(one["code"], one["severity"]) for one in problems] == [("uncommitted", "warning")]


def test_an_unbound_plan_is_not_held_against_git(sandbox: Sandbox) -> None:
    """Whoever does not bind is told nothing about commits."""
    repository(sandbox)
    sandbox.declare(item("chat", replicas=2))
    assert "commit" not in sandbox.run("plan", "--out", "the.plan").err
