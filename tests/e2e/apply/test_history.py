"""E4: every change is a version with its time, its author, the commit of its files and a message."""

import json
import re
import subprocess
from typing import Any

import pytest

from tests.e2e.sandbox import ROOT, Sandbox, item

PAGE = (ROOT / "docs" / "history.md").read_text(encoding="utf-8")
HISTORY = "state/novita.json.history.jsonl"
COMMON = ("--image", "ubuntu:22.04", "--spec", "small", "--yes")


def versions(sandbox: Sandbox, *args: str) -> list[dict[str, Any]]:
    """Return the document of `history`."""
    ran = sandbox.run("history", *args, "--json")
    assert ran.code == 0, ran.err
    found: list[dict[str, Any]] = ran.document
    return found


def git(sandbox: Sandbox, *args: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *args],
        cwd=sandbox.root, capture_output=True, text=True, check=True, timeout=20,
    )  # fmt: skip
    return done.stdout.strip()


def test_commands_without_the_yaml_make_versions(sandbox: Sandbox) -> None:
    """deploy, update, scale and delete; each version has all fields, also those that were not given."""
    sandbox.run("deploy", "chat", *COMMON)
    sandbox.run("update", "chat", "--image", "ubuntu:24.04", "--yes")
    sandbox.run("scale", "chat", "3", "--yes")
    sandbox.run("delete", "chat", "--yes")
    found = versions(sandbox)
    assert [(one["version"], one["action"], one["command"]) for one in found] == [
        (4, "delete", "delete"),
        (3, "scale", "scale"),
        (2, "update", "update"),
        (1, "create", "deploy"),
    ]
    deleted, scaled, updated, created = (one["fields"] for one in found)
    assert deleted == {}
    assert [one["image"]["image"] for one in (scaled, updated, created)] == [
        "ubuntu:24.04", "ubuntu:24.04", "ubuntu:22.04",
    ]  # fmt: skip
    assert scaled["workerConfig"]["minNum"] == 3
    assert {**scaled, "workerConfig": 0} == {**updated, "workerConfig": 0}


def test_a_value_without_a_reference_is_not_recorded(sandbox: Sandbox) -> None:
    """The version is there and says what it lacks; a rollback keeps the live value and warns."""
    sandbox.run("deploy", "chat", *COMMON, "--env", "TOKEN=s3cret-value", "--env", "MODE=fast-mode")
    sandbox.run("update", "chat", "--image", "ubuntu:24.04", "--yes")
    assert "s3cret-value" not in (sandbox.root / HISTORY).read_text()
    for one in versions(sandbox):
        assert one["unknown"] == [["envs", "MODE"], ["envs", "TOKEN"]]
        assert one["fields"]["envs"] == {}
    assert "not recorded, because it was given without a reference: env.MODE, env.TOKEN" in (
        sandbox.run("history").out
    )
    ran = sandbox.run("rollback", "chat", "--yes")
    assert ran.code == 0, ran.err
    assert "Warning: version 1 of `chat` does not have the values of env.MODE, env.TOKEN" in ran.err
    live = sandbox.live()["chat"]
    assert live["image"]["image"] == "ubuntu:22.04"
    assert {one["key"]: one["value"] for one in live["envs"]} == {
        "TOKEN": "s3cret-value",
        "MODE": "fast-mode",
    }


def test_an_endpoint_is_not_created_without_its_values(sandbox: Sandbox) -> None:
    """There is no live value to keep."""
    sandbox.run("deploy", "chat", *COMMON, "--env", "TOKEN=s3cret-value")
    sandbox.run("delete", "chat", "--yes")
    writes = len(sandbox.sent())
    ran = sandbox.run("rollback", "chat", "--yes")
    assert ran.code == 1
    assert "`chat` cannot be created as in version 1: the history does not have env.TOKEN" in ran.err
    assert len(sandbox.sent()) == writes
    ran = sandbox.run("rollback", "chat", "2", "--yes")
    assert (ran.code, "`chat` has nothing to return to in 2; known: 1" in ran.err) == (1, True)


def test_an_update_keeps_the_references_of_the_yaml(sandbox: Sandbox) -> None:
    """A version of some fields has those of the last version, so that it can be restored."""
    sandbox.monkeypatch.setenv("TOKEN", "s3cret-value")
    sandbox.declare(item("chat", env={"T": "${env:TOKEN}"}))
    sandbox.apply()
    sandbox.run("update", "chat", "--image", "ubuntu:24.04", "--yes")
    newest = versions(sandbox)[0]
    assert newest["fields"]["envs"] == {"T": {"reference": "${env:TOKEN}"}}
    assert newest["fields"]["image"]["image"] == "ubuntu:24.04"
    assert newest["unknown"] == []


def test_an_endpoint_of_others_has_its_live_fields(sandbox: Sandbox) -> None:
    """Those without secrets; nothing else is known of it."""
    made = sandbox.sim.world.console_create(
        name="theirs", appName="theirs", envs=[{"key": "TOKEN", "value": "s3cret-value"}]
    )
    assert sandbox.run("update", "theirs", "--image", "ubuntu:24.04", "--yes").code == 0
    (one,) = versions(sandbox)
    assert (one["id"], one["unknown"], one["fields"]["envs"]) == (made, [["envs", "TOKEN"]], {})
    assert "s3cret-value" not in (sandbox.root / HISTORY).read_text()


def test_who_when_and_why(sandbox: Sandbox) -> None:
    """The user and the host, the message, and the reason of a lease."""
    sandbox.monkeypatch.setenv("LOGNAME", "ada")
    sandbox.declare(item("chat"))
    sandbox.apply("-m", "First release")
    sandbox.run("scale", "chat", "--min", "2", "--max", "4", "--for", "6h", "--why", "the launch", "--yes")
    newest, oldest = versions(sandbox)
    assert oldest["who"].startswith("ada@")
    assert (oldest["message"], oldest["command"], oldest["commit"]) == ("First release", "apply", None)
    assert newest["message"] == "the launch"
    text = sandbox.run("history").out.splitlines()
    assert text[-2].strip() == "First release"
    assert max(map(len, text)) <= 80
    for bad in ("two\nlines", "x" * 501):
        assert sandbox.run("apply", "--message", bad).code == 64


@pytest.mark.parametrize(
    ("variables", "who", "run_url"),
    [
        (
            {
                "GITHUB_ACTOR": "ada",
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "acme/infra",
                "GITHUB_RUN_ID": "7",
            },
            "ada",
            "https://github.com/acme/infra/actions/runs/7",
        ),
        (
            {"GITLAB_USER_LOGIN": "bob", "CI_JOB_URL": "https://gitlab.com/j/1"},
            "bob",
            "https://gitlab.com/j/1",
        ),
    ],
    ids=["GitHub", "GitLab"],
)
def test_a_ci_job_names_its_user_and_its_run(
    sandbox: Sandbox, variables: dict[str, str], who: str, run_url: str
) -> None:
    """As GitHub and GitLab tell them; outside of a checkout the commit is that of the job."""
    for name, value in {**variables, "CI_COMMIT_SHA": "a" * 40}.items():
        sandbox.monkeypatch.setenv(name, value)
    sandbox.declare(item("chat"))
    sandbox.apply()
    (one,) = versions(sandbox)
    assert (one["who"], one["run_url"], one["commit"]) == (who, run_url, "a" * 40)
    assert run_url in sandbox.run("history").out


def test_the_commit_of_the_files(sandbox: Sandbox) -> None:
    """And whether the files differ from it; a file that is not read does not count."""
    git(sandbox, "init", "--quiet")
    sandbox.declare(item("chat"))
    sandbox.write(".gitignore", "state/\n")
    git(sandbox, "add", "-A")
    git(sandbox, "commit", "--quiet", "-m", "x")
    commit = git(sandbox, "rev-parse", "HEAD")
    sandbox.write("notes.txt", "x")
    sandbox.apply()
    sandbox.declare(item("chat", replicas=2))
    sandbox.apply()
    newest, oldest = versions(sandbox)
    assert (oldest["commit"], oldest["dirty"]) == (commit, False)
    assert (newest["commit"], newest["dirty"]) == (commit, True)
    assert f"{commit[:8]} (files changed since)" in sandbox.run("history").out


def test_what_changed_is_shown(sandbox: Sandbox) -> None:
    """Each version with its difference to the one before, at most three fields."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare(item("chat", image="ubuntu:24.04", minReplicas=1, maxReplicas=4, env={"A": "1"}))
    sandbox.apply()
    lines = [line.strip() for line in sandbox.run("history", "chat").out.splitlines()]
    assert "maxReplicas: 1 -> 4" in lines
    assert "image: ubuntu:22.04 -> ubuntu:24.04" in lines
    assert lines[-1] == "1-1 workers  ubuntu:22.04"


def test_the_newest_of_all_endpoints_come_first(sandbox: Sandbox) -> None:
    """The document is a list of versions, with the same keys in each."""
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    path = sandbox.root / HISTORY
    old = [{**json.loads(line), "at": "2020-01-01T00:00:00Z"} for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(one, sort_keys=True) + "\n" for one in old))
    sandbox.declare(item("a", replicas=2), item("b"))
    sandbox.apply()
    found = versions(sandbox)
    assert [(one["name"], one["version"]) for one in found] == [("a", 2), ("a", 1), ("b", 1)]
    assert len({tuple(one) for one in found}) == 1


def test_the_commands_of_the_page_run(sandbox: Sandbox) -> None:
    """Each one, as it is written."""
    for image in ("a:1", "a:2", "a:3"):
        sandbox.declare(item("chat", image=image))
        sandbox.apply()
    scripts = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    lines = [line.partition("#")[0].split() for script in scripts for line in script.splitlines()]
    assert len(lines) == 6
    for program, *arguments in lines:
        assert program == "reconciler"
        ran = sandbox.run(*arguments)
        assert ran.code == 0, ran.err
    assert sandbox.live()["chat"]["image"]["image"] == "a:2"
    assert sandbox.plan().code == 0
