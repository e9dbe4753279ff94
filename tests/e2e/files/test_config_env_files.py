"""`env_file` of config.yaml: values for references, from one reader, that never reach a child process."""

import json
import os
from typing import Any

import pytest

from tests.e2e.sandbox import Sandbox, item


def configure(sandbox: Sandbox, env_file: Any, **environments: Any) -> None:
    config: dict[str, Any] = {"novita": {"settle_seconds": 0.05, "env_file": env_file}}
    sandbox.write("config.yaml", {**config, "environments": environments} if environments else config)


def sent_value(sandbox: Sandbox, *args: str) -> str | None:
    """Return the value of the variable A that a create would send."""
    (request,) = sandbox.run("preview", "--json", "--reveal", *args).document
    return next((one["value"] for one in request["body"]["endpoint"]["envs"] if one["key"] == "A"), None)


@pytest.fixture
def declared(sandbox: Sandbox) -> Sandbox:
    sandbox.declare(item("chat", env={"A": "${env:A}"}))
    return sandbox


def test_a_string_and_a_list(declared: Sandbox) -> None:
    """Later files win, then --env-file, then the environment."""
    declared.write("one.env", "A=one\n")
    declared.write("two.env", "export A='two' # a comment\n")
    declared.write("three.env", "A=three\n")
    configure(declared, "one.env")
    assert sent_value(declared) == "one"
    configure(declared, ["one.env", "two.env"])
    assert sent_value(declared) == "two"
    assert sent_value(declared, "--env-file", "three.env") == "three"
    declared.monkeypatch.setenv("A", "real")
    assert sent_value(declared, "--env-file", "three.env") == "real"


def test_one_for_each_environment(declared: Sandbox) -> None:
    """It is read after that of all environments; that of another environment is not read."""
    declared.write("all.env", "A=all\n")
    declared.write("prod.env", "A=prod\n")
    declared.write("broken.env", "not a line\n")
    configure(declared, "all.env", dev={}, prod={"env_file": "prod.env"}, broken={"env_file": "broken.env"})
    assert sent_value(declared, "-e", "dev") == "all"
    assert sent_value(declared, "-e", "prod") == "prod"
    ran = declared.run("plan", "-e", "broken")
    assert ran.code == 1
    assert "broken.env:1:1" in ran.err
    assert "not a line" not in ran.err


def test_relative_to_the_folder_of_the_run(declared: Sandbox) -> None:
    """-C DIR is the folder of `env_file`, wherever the command is typed."""
    declared.write(".env", "A=here\n")
    configure(declared, ".env")
    declared.monkeypatch.chdir(declared.root.parent)
    assert sent_value(declared, "-C", "infra") == "here"


def test_a_missing_file_is_skipped(declared: Sandbox) -> None:
    """A pipeline has the variables instead; `doctor` says that the file is missing."""
    configure(declared, ".env")
    assert declared.run("plan").code == 1
    found = {check["name"]: check for check in declared.run("doctor", "--json").document["checks"]}
    assert found["env file"]["found"] == ".env does not exist; config.yaml names it in `env_file`"
    declared.monkeypatch.setenv("A", "real")
    assert sent_value(declared) == "real"


def test_a_link_that_leads_outside(declared: Sandbox) -> None:
    """A pull request cannot make a run read a file outside of the folder."""
    secret = declared.root.parent / "secret.env"
    secret.write_text("A=hush-hush\n")
    (declared.root / ".env").symlink_to(secret)
    configure(declared, ".env")
    ran = declared.run("plan")
    assert ran.code == 1
    assert "`env_file` .env: it leads out of" in ran.err
    assert "hush" not in ran.out + ran.err


def test_what_an_import_writes_is_what_is_read(sandbox: Sandbox) -> None:
    """`import --env-out` and `env_file` share one grammar (A8, C7)."""
    value = "a b'c\"d\\e # $HOME ${X}"
    sandbox.sim.world.console_create(name="newcomer", envs=[{"key": "A", "value": value}])
    assert sandbox.run("import", "--all", "--out", "endpoints.yaml", "--env-out", ".env").code == 0
    configure(sandbox, ".env")
    assert sandbox.plan().code == 0


def test_no_child_process_gets_the_values(declared: Sandbox) -> None:
    """They are not in the environment, and settings of reconciler do not come from there."""
    declared.write(
        ".env", "A=hush-hush\nNOVITA_BASE_URL=http://localhost:1\nRECONCILER_ENV=prod\nPATH=/nowhere\n"
    )
    configure(declared, ".env", dev={"default": True}, prod={})
    assert declared.plan().code == 2
    assert "A" not in os.environ
    assert json.loads(declared.run("env", "list", "--json").out)[0]["current"]
