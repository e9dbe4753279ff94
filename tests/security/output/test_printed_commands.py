"""Whatever a shell reads of our output is quoted: names arrive as they are, and nothing else runs."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.cli.main import COMMANDS
from tests.e2e.sandbox import CommandResult, Sandbox, item

NAMES = (
    "a b",
    "a; touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "x'; touch pwned; '",
    'x"; touch pwned; "',
    "x' reconciler plan   'y",
    "--yes",
    "-C",
    "a\\b | c && d > pwned",
    "*",
    "!!",
    "# größe 模型",
)
"""Names that an endpoint may have."""

FOREIGN = (
    "two\nlines; touch pwned",
    "x'\ntouch pwned\n'",
    "\x1b[2J; touch pwned",
    "\u2028touch pwned",
    "ends\n",
)
"""What stands in an inventory that somebody edited, or in a file's name."""

WORD = r"(?:'[^']*'|\"[^\"]*\"|[^\s`'\"])+"
COMMAND = re.compile(rf"(?<!\S)`?(reconciler (?=-|{'|'.join(COMMANDS)}){WORD}(?: {WORD})*)")


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Callable[[str], list[list[str]]]]:
    """Runs a script with sh in an empty folder, and tells how our command and curl were called."""
    programs, folder = tmp_path / "bin", tmp_path / "empty"
    programs.mkdir()
    folder.mkdir()
    for name in ("reconciler", "curl"):
        program = programs / name
        program.write_text(f'#!/bin/sh\n{{ printf "%s\\0" {name} "$@"; printf "\\0"; }} >> "$CALLS"\n')
        program.chmod(0o755)
    calls = tmp_path / "calls"

    def run(script: str) -> list[list[str]]:
        calls.write_bytes(b"")
        environ = {"PATH": f"{programs}:{os.environ['PATH']}", "CALLS": str(calls), "NOVITA_API_KEY": "sk"}
        subprocess.run(["sh"], input=script.encode(), cwd=folder, env=environ, timeout=20, check=False)
        assert list(folder.iterdir()) == [], "something else ran"
        return [call.split("\0") for call in calls.read_bytes().decode().split("\0\0") if call]

    yield run
    assert not list(tmp_path.rglob("pwned"))


def hostile(name: str, **fields: object) -> dict[str, object]:
    return item(name, appName="app", **fields)


def hints(ran: CommandResult) -> list[str]:
    return COMMAND.findall(ran.err + ran.out)


@pytest.mark.parametrize("name", NAMES)
def test_hints_carry_a_name_through_a_shell(
    name: str, sandbox: Sandbox, shell: Callable[[str], list[list[str]]]
) -> None:
    """Of each kind of hint that names an endpoint: the words that a shell makes of it are the right ones."""
    sandbox.declare(hostile(name, maxReplicas=3))
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id(name), healthy={"path": "/ready"})
    lease = ("--min", "1", "--max", "2", "--for", "6h", "--why", "x", "--yes")
    expected = [
        (sandbox.run("drift"), ["drift", "accept", name]),
        (sandbox.run("drift"), ["drift", "revert", name]),
        (sandbox.run("rollback", "--", name, "77"), ["history", name]),
        (sandbox.run("import", "--", "other", sandbox.id(name)), ["state", "rm", name]),
        (sandbox.run("scale", "--write", "--", name, "2"), ["apply", "--target", name]),
        (sandbox.run("scale", *lease, "--", name), None),
        (sandbox.run("plan"), ["scale", "--end-lease", name]),
    ]
    sandbox.declare(removed=[{"endpoint": name}])
    expected.append((sandbox.run("scale", "--write", "--", name, "2"), ["scale", name, "N"]))
    sandbox.run("delete", "--yes", "--", name)
    expected.append(
        (sandbox.run("update", "--image", "a:1", "--yes", "--", name), ["deploy", name, "--image", "IMAGE"])
    )
    for ran, words in expected:
        if words is None:
            assert ran.code == 0, ran.err
            continue
        called = [sorted(call[1:]) for line in hints(ran) for call in shell(line)]
        assert any(set(words) <= set(call) for call in called), (words, ran.err, called)
        if name.startswith("-"):
            assert any(f"-- {name}" in line for line in hints(ran)) or f"--target {name}" in ran.err


@pytest.mark.parametrize("name", [*NAMES, *FOREIGN])
def test_options_of_the_run_are_carried_through_a_shell(
    name: str, sandbox: Sandbox, shell: Callable[[str], list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder, a file or an inventory may be called anything; the printed command reaches the same."""
    folder = sandbox.root / name
    sandbox.write(f"{name}/specs.yaml", (sandbox.root / "specs.yaml").read_text())
    sandbox.write(f"{name}/{name}.yaml", {"endpoints": [item("chat")]})
    options = ["-C", name, "-f", f"{name}.yaml", "--state", f"{name}.json"]
    ran = sandbox.run(*options, "plan", f"--out={name}")
    assert ran.code == 0, ran.err
    calls = [call for line in hints(ran) for call in shell(line)]
    call = calls[-1]
    assert [word for word in call[1:] if word != "--"] == [*options, "apply", name]
    assert sandbox.run(*call[1:]).code == 0
    assert (folder / f"{name}.json").is_file()


@pytest.mark.parametrize("name", [*NAMES, *FOREIGN])
@pytest.mark.parametrize("reveal", [(), ("--reveal",)])
def test_previewed_commands_run_nothing_but_curl(
    name: str, reveal: tuple[str, ...], sandbox: Sandbox, shell: Callable[[str], list[list[str]]]
) -> None:
    """Of records, IDs and values alike: sh runs one curl for each request, with its body as it is sent."""
    sandbox.declare(item("chat", env={"TEXT": name}, command=f"run {name}"), item("gone"))
    sandbox.apply()
    sandbox.declare(item("chat", env={"TEXT": f"{name}{name}"}, command=name))
    state = json.loads((sandbox.root / "state/novita.json").read_text())
    state["endpoints"][name] = state["endpoints"].pop("gone")
    sandbox.write("state/novita.json", state)
    sandbox.sim.world.console_update(sandbox.id("gone"), name=name)
    ran = sandbox.run("preview", "--curl", *reveal)
    assert ran.code == 0, ran.err
    calls = shell(ran.out)
    bodies = [json.loads(call[call.index("--data-binary") + 1]) for call in calls]
    sent = {one["action"]: one["body"] for one in sandbox.run("preview", "--json", *reveal).document}
    assert bodies == [one["body"] for one in sandbox.run("preview", "--json", *reveal).document]
    assert set(sent) == {"update", "delete"}
    assert all(call[:4] == ["curl", "--fail-with-body", "-X", "POST"] for call in calls)
    assert ran.out.replace("\n", "").isprintable()


@pytest.mark.parametrize("where", ["$(touch pwned)", "'; touch pwned; '", "`touch pwned`", "a b"])
def test_an_address_is_quoted(
    where: str, sandbox: Sandbox, shell: Callable[[str], list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOVITA_BASE_URL", f"{sandbox.sim.url}/{where}")
    sandbox.declare(item("chat"))
    calls = shell(sandbox.run("preview", "--create", "--curl").out)
    assert [call[4].startswith(f"{sandbox.sim.url}/{where}/") for call in calls] in ([True], [])


def test_what_a_simulator_prints_is_quoted(sandbox: Sandbox, shell: Callable[[str], list[list[str]]]) -> None:
    """Its key is the user's choice; the lines are typed into another shell."""
    key = "a b; touch pwned; $(touch pwned)'"
    process = sandbox.start("simulator", "--port", "0", "--quiet", "--set", f"api_key={key}")
    assert process.stdout is not None
    lines = "".join(process.stdout.readline() for _ in range(3))
    process.terminate()
    process.communicate(timeout=60)
    exports = "".join(line for line in lines.splitlines(keepends=True) if "export" in line)
    assert shell(f'{exports}reconciler "$NOVITA_API_KEY"') == [["reconciler", key]]
