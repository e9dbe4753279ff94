"""`deploy --env` without the value on the command line, where every user of the machine can read it."""

import subprocess

import pytest

from tests.e2e.sandbox import Sandbox


def deploy(*arguments: str) -> tuple[str, ...]:
    return ("deploy", "chat", "--image", "ubuntu:22.04", "--spec", "small", "--yes", *arguments)


def env(sandbox: Sandbox) -> dict[str, str]:
    return {one["key"]: one["value"] for one in sandbox.live()["chat"]["envs"]}


def test_a_name_alone_takes_the_value_from_the_environment(sandbox: Sandbox) -> None:
    """Beside files and literal values, the later one winning; by update as well, and shown nowhere."""
    sandbox.monkeypatch.setenv("HF_TOKEN", "hf_of the environment")
    sandbox.monkeypatch.setenv("B", "of-the-environment")
    sandbox.write("the.env", "B=of-the-file\nC='of the file'\n")
    ran = sandbox.run(
        *deploy("--env", "HF_TOKEN", "--env-file", "the.env", "--env", "B", "--env", "D=$x", "-v")
    )
    assert ran.code == 0, ran.err
    assert env(sandbox) == {
        "HF_TOKEN": "hf_of the environment",
        "B": "of-the-environment",
        "C": "of the file",
        "D": "$x",
    }
    assert "hf_of" not in ran.out + ran.err + "".join(map(str, sandbox.files().values()))
    assert sandbox.run("update", "chat", "--env", "HF_TOKEN", "--env", "E=", "--yes").code == 0
    assert env(sandbox) == {"HF_TOKEN": "hf_of the environment", "E": ""}
    assert sandbox.run("--env-file", "the.env", "update", "chat", "--env", "C", "--yes").code == 0
    assert env(sandbox) == {"C": "of the file"}


@pytest.mark.parametrize(
    ("value", "name"), [(None, "HF_TOKEN"), ("", "HF_TOKEN"), (" \n", "A"), (None, "sk-S3CRET")]
)
def test_a_name_without_a_value_is_refused(sandbox: Sandbox, value: str | None, name: str) -> None:
    """Nothing is sent, and what looks like no name is not repeated: it may be the secret itself."""
    if value is not None:
        sandbox.monkeypatch.setenv(name, value)
    for command in (deploy("--env", name), ("update", "chat", "--env", name, "--yes")):
        ran = sandbox.run(*command)
        assert (ran.code, sandbox.sim.requests) == (64, [])
        assert "S3CRET" not in ran.err
        assert f"--env {name if '-' not in name else 'KEY'}=" in ran.err


@pytest.mark.parametrize("command", ["deploy", "update"])
def test_the_help_says_so(sandbox: Sandbox, command: str) -> None:
    """A value on the command line is in the process list; there are two ways around it."""
    words = " ".join(sandbox.run(command, "--help").out.split())
    assert "--env KEY[=VALUE]" in words
    assert "can be read in the list of processes" in words
    assert "KEY alone takes it from the environment" in words
    assert words.count("--env-file FILE") == 1


def test_nothing_of_it_is_in_the_process_list(sandbox: Sandbox) -> None:
    """Of a process that waits for an answer."""
    sandbox.monkeypatch.setenv("HF_TOKEN", "hf_of-the-environment")
    process = sandbox.start(*deploy("--env", "HF_TOKEN"))
    listed = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(process.pid)], capture_output=True, text=True, timeout=60
    ).stdout
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert "--env HF_TOKEN" in listed
    assert "hf_of" not in listed
