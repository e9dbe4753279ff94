"""Bytes that are not UTF-8, wherever the system hands them over: a usage error that names them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from reconciler.cli.main import COMMANDS, cli
from tests.e2e.sandbox import ROOT, Sandbox, item

BAD = "caf\udce9"
SHOWN = "caf\\xe9"


def _lines(name: str) -> Iterator[list[str]]:
    """Every option of a command with such a value, and the command with it as an argument."""
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command is not None
    yield [name, BAD]
    yield ["-C", BAD, name]
    for option in command.params:
        if isinstance(option, click.Option) and not option.is_flag:
            yield [name, option.opts[-1], BAD]
            yield [name, f"{option.opts[-1]}={BAD}"]
    if isinstance(command, click.Group):
        yield from ([name, below, BAD] for below in command.list_commands(context))


LINES = [
    *([*_lines(name)] for name in COMMANDS),
    [[BAD], ["scale", "chat", BAD], ["plan", "--", BAD], [f"-f{BAD}", "plan"]],
]


@pytest.mark.parametrize("words", [["--env", f"T=S3CRET{BAD}"], [f"--env=T=S3CRET{BAD}"], [f"T=S3CRET{BAD}"]])
def test_what_such_an_argument_says_is_not_shown(sandbox: Sandbox, words: list[str]) -> None:
    """It may be a secret that was cut, or one in another encoding."""
    ran = sandbox.run("deploy", "chat", "--image", "a:1", "--spec", "small", *words)
    assert (ran.code, "=...' contains bytes" in ran.err) == (64, True)
    assert "S3CRET" not in ran.err


@pytest.mark.parametrize("lines", LINES, ids=[*COMMANDS, "others"])
def test_an_argument_that_is_not_utf_8_is_a_usage_error(sandbox: Sandbox, lines: list[list[str]]) -> None:
    for line in lines:
        ran = sandbox.run(*line)
        assert ran.code == 64, line
        assert SHOWN in ran.err
        assert "has a bug" not in ran.err
        ran.err.encode("utf-8")  # nothing of it is half a character
    assert sandbox.sent("create", "update", "delete", "list") == []


def test_it_is_one_document_with_json(sandbox: Sandbox) -> None:
    ran = sandbox.run("plan", "--json", "--target", BAD)
    (problem,) = ran.document["problems"]
    assert (ran.code, ran.document["exit_code"], problem["code"]) == (64, 64, "usage")
    assert SHOWN in problem["summary"]


@pytest.mark.parametrize(
    "command", [["plan"], ["validate"], ["doctor"], ["state", "list"], ["apply", "--yes"]]
)
@pytest.mark.parametrize(
    "name", ["NOVITA_API_KEY", "NOVITA_BASE_URL", "RECONCILER_STATE_KEY", "RECONCILER_X"]
)
def test_a_variable_of_ours_that_is_not_utf_8_is_named(
    sandbox: Sandbox, name: str, command: list[str]
) -> None:
    sandbox.declare(item("chat"))
    sandbox.monkeypatch.setenv(name, "s3cret\udcff")
    ran = sandbox.run(*command)
    assert ran.code == 64
    assert f"the environment variable {name} contains bytes that are not UTF-8" in ran.err
    assert "s3cret" not in ran.out + ran.err


def test_help_needs_no_variable(sandbox: Sandbox) -> None:
    sandbox.monkeypatch.setenv("NOVITA_API_KEY", "\udcff")
    assert sandbox.run("plan", "--help").code == 0


@pytest.mark.parametrize(
    "command", [["plan", "--out", "prod.plan"], ["apply", "--yes"], ["validate"], ["plan", "--json"]]
)
@pytest.mark.parametrize("is_linked", [False, True])
def test_a_folder_whose_path_is_not_utf_8_is_named(
    sandbox: Sandbox, command: list[str], is_linked: bool
) -> None:
    sandbox.declare(item("chat"))
    folder = sandbox.root.parent / BAD
    sandbox.root.rename(folder)
    if is_linked:
        (sandbox.root.parent / "link").symlink_to(folder)
        folder = sandbox.root.parent / "link"
    sandbox.monkeypatch.chdir(folder)
    ran = sandbox.run(*command)
    assert ran.code == 64
    assert SHOWN in (ran.out + ran.err).replace("\\\\", "\\")
    assert sandbox.sent() == []


@pytest.mark.parametrize("command", ["plan", "validate", "preview", "drift", "doctor"])
def test_a_file_whose_name_is_not_utf_8_is_told(sandbox: Sandbox, command: str) -> None:
    sandbox.declare(item("chat"))
    sandbox.write("endpoints/x.yaml", {"endpoints": [item("embed")]}).rename(
        sandbox.root / f"endpoints/{BAD}.yaml"
    )
    for options in ([], ["--json"]):
        ran = sandbox.run(command, *options)
        assert ran.code == 1
        assert "has a bug" not in ran.err
        assert SHOWN in (ran.out + ran.err).replace("\\\\", "\\")


EACH = """\
import os, sys
import jsonschema
from reconciler.cli.main import main
words = []
for word in sys.argv[1:]:
    if word != "END":
        words.append(word)
    elif child := os.fork():
        words = []
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(f"\\nexit code {code}", flush=True)
    else:
        main(words)
"""
"""Runs each command of its arguments in a fork, with the streams and the imports of this process."""


@pytest.mark.parametrize(
    "environ",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
    ],
)
def test_a_terminal_without_unicode_is_told_all(sandbox: Sandbox, environ: dict[str, str]) -> None:
    """Names beyond ASCII are escaped where the stream cannot hold them; the bytes of a bad argument too."""
    sandbox.declare(item("größe \U0001f600", appName="a", env={"Ä": "x"}))

    lines = (["validate"], ["plan", "--json"], ["plan"], ["--help"], ["init"], ["list"], ["doctor"])
    wrong = ["plan", "--target", b"caf\xe9"]
    words = [word for line in (*lines, wrong) for word in (*line, "END")]
    done = subprocess.run(
        [sys.executable, "-c", EACH, *words],
        cwd=sandbox.root,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        timeout=200,
        check=True,
    )
    told = done.stdout + done.stderr
    assert b"has a bug" not in told
    assert b"Traceback" not in told
    codes = [int(code) for code in re.findall(rb"^exit code (\d+)$", done.stdout, re.MULTILINE)]
    assert len(codes) == len(lines) + 1
    assert set(codes[:-1]) <= {0, 1}
    assert (codes[-1], b"caf\\xe9" in told) == (64, True)
