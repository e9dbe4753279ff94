"""explain, show, open and version."""

import json
import os
import platform
import tomllib
from pathlib import Path

import pytest

from reconciler import __version__
from reconciler.config.field_help import explain_field, known_paths
from tests.e2e.command_line.test_terminal import terminal
from tests.e2e.sandbox import KEY, Sandbox, item

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("field", "lines"),
    [
        ("env", ["endpoints.env  <map of strings>", "wire path: envs", '    HF_TOKEN: "${env:HF_TOKEN}"']),
        ("endpoints.policy.type", ["values:    queue, concurrency", "wire path: policy.type"]),
        ("taskTimeout", ["default:   300", "wire path: workerConfig.freeTimeout"]),
        ("endpoint", ["required:  yes"]),
        ("storage.sizeGb", ["endpoints.storage.sizeGb  <integer>"]),
        ("env.HF_TOKEN", ["endpoints.env.HF_TOKEN  <string>", "wire path: envs.HF_TOKEN"]),
        ("drift.ignore", ["config.drift.ignore  <list of objects>"]),
        ("specs.resources.gpu", ["specs.resources.gpu  <string or number>"]),
        ("removed.destroy", ["removed.destroy  <boolean>"]),
    ],
)
def test_a_field_is_explained(sandbox: Sandbox, field: str, lines: list[str]) -> None:
    """With its type, its default and its place in the API; no file and no network is needed."""
    (sandbox.root / "specs.yaml").unlink()
    ran = sandbox.run("explain", field)
    assert ran.code == 0, ran.err
    assert set(lines) <= set(ran.out.splitlines())
    assert sandbox.sim.requests == []
    document = sandbox.run("explain", field, "--json").document
    assert ran.out.startswith(f"{document['path']}  <{document['type']}>\n")


def test_every_known_field_can_be_explained() -> None:
    """And has a type and a description."""
    paths = list(known_paths())
    assert len(paths) > 60
    for path in paths:
        found = explain_field(path)
        assert found is not None, path
        assert found.type, path
        assert found.description, path


def test_an_unknown_field_has_a_suggestion(sandbox: Sandbox) -> None:
    """Or the command that lists the fields."""
    ran = sandbox.run("explain", "polcy")
    assert (ran.code, "Did you mean `policy`?" in ran.err) == (1, True)
    ran = sandbox.run("explain", "env.A.B.C")
    assert ran.code == 1
    assert sandbox.run("explain", "zzzzzzzzzz").err.count("lists the fields of an endpoint") == 1
    assert sandbox.run("explain").out.startswith("endpoints  <list of objects>")


@pytest.fixture
def saved(sandbox: Sandbox) -> Sandbox:
    """A plan with a create, an update, a delete, drift and a secret."""
    sandbox.monkeypatch.setenv("TOKEN", "s3cret-value")
    sandbox.declare(item("chat", env={"T": "${env:TOKEN}"}), item("old"))
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id("chat"), healthy={"path": "/other"})
    sandbox.declare(item("chat", image="ubuntu:24.04", env={"T": "x${env:TOKEN}"}), item("new"))
    assert sandbox.run("plan", "--out", "the.plan").code == 0
    return sandbox


def test_a_saved_plan_is_shown(saved: Sandbox) -> None:
    """As `plan` shows it, without a key and without the account."""
    planned = saved.run("plan").out
    saved.monkeypatch.delenv("NOVITA_API_KEY")
    saved.monkeypatch.setenv("NOVITA_BASE_URL", "http://127.0.0.1:9")
    (saved.root / "endpoints.yaml").unlink()
    ran = saved.run("show", "the.plan")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("Saved at 20")
    assert ran.out.splitlines()[2:] == planned.splitlines()
    assert "specName" in planned
    assert "s3cret-value" not in ran.out
    assert "(sensitive value)" in ran.out
    document = saved.run("show", "the.plan", "--json").document
    assert "saved_plan" not in document
    assert document["summary"]["create"] == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot read"),
        ("not json", "is not a plan file"),
        ("[]", "is not a plan file"),
        ("{}", "is not a plan file"),
        ('{"saved_plan": {}, "resource_changes": [1], "resource_drift": []}', "is not a plan file"),
    ],
)
def test_another_file_is_no_plan(sandbox: Sandbox, content: str | None, says: str) -> None:
    """It is a plain error."""
    if content is not None:
        sandbox.write("x.plan", content)
    ran = sandbox.run("show", "x.plan")
    assert (ran.code, says in ran.err) == (1, True)


def test_an_edited_plan_writes_no_control_characters(saved: Sandbox) -> None:
    """The file may come from anybody."""
    path = saved.root / "the.plan"
    path.write_text(path.read_text().replace("ubuntu:24.04", "a\\u001b[2J\\n::error::b"))
    ran = saved.run("show", "the.plan")
    assert (ran.code, "\x1b" in ran.out, "\n::error" in ran.out) == (0, False, False)
    path.write_text(path.read_text().replace('"action":"update"', '"action":"explode"'))
    assert saved.run("show", "the.plan").code == 1


def test_the_url_is_printed_without_a_terminal(sandbox: Sandbox) -> None:
    """That of the endpoint, or the console."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    assert sandbox.run("open", "chat").out == sandbox.run("output", "chat").out
    assert sandbox.run("open").out == "https://console.novita.ai\n"
    assert sandbox.run("open", "nobody").code == 1


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript:alert(1)", "https://x y", "http://x\n-new"]
)
def test_a_hostile_url_is_not_opened(sandbox: Sandbox, url: str) -> None:
    """Only http and https."""

    def rewritten(answer: dict[str, object]) -> dict[str, object]:
        inner = answer.get("endpoint", answer)
        assert isinstance(inner, dict)
        inner["url"] = url
        return answer

    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.sim.faults.rewrite("get", rewritten)
    ran = sandbox.run("open", "chat")
    assert (ran.code, ran.out) == (1, "")
    assert "is not opened" in ran.err


def test_the_browser_gets_the_url(sandbox: Sandbox, tmp_path: Path) -> None:
    """On a terminal; the program of $BROWSER is asked."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    sandbox.monkeypatch.setenv("BROWSER", f"{browser} %s")
    with terminal(sandbox, "open", "chat") as (screen, process):
        assert "Opened http://" in screen.rest()
        assert process.wait(60) == 0
    assert (tmp_path / "opened").read_text() == sandbox.run("output", "chat").out.strip()


def test_the_version_has_its_surroundings(sandbox: Sandbox) -> None:
    """Those that a bug report needs."""
    ran = sandbox.run("version")
    assert ran.out.splitlines()[:2] == [f"reconciler {__version__}", f"python {platform.python_version()}"]
    document = sandbox.run("version", "--json").document
    assert document["version"] == __version__
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(document["extras"]) == set(declared) - {"bench", "dev", "docs"}
    assert KEY not in json.dumps(document) + os.fspath(sandbox.root)
