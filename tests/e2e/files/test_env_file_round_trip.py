"""What an import writes into `.env` comes back as it was, and no shell has a hand in it."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.files.env_files import env_file_text, read_env_files
from tests.e2e.sandbox import CommandResult, Sandbox, item

VALUES = {
    "URL": "https://x/$ID?a=1&b=`id`",
    "WORDS": "fast path",
    "SPACES": "  both ends  ",
    "QUOTES": "it's \"quoted\" \\' \\n",
    "BACKSLASH": "ends with \\",
    "HASH": "a #b # c",
    "LINES": "one\ntwo\r\nthree\rfour\n\n",
    "JSON": '{"a": "${b}", "c": [1]}',
    "DOLLARS": "$$ ${HOME} $(id) $'x'",
    "EQUALS": "=a=b==",
    "EXPORT": "export A=1",
    "UNICODE": "é 😀 \u2028 \x85 \ufeff",
    "FEED": "a\fb\vc\td",
}


@pytest.fixture
def imported(sandbox: Sandbox) -> tuple[Sandbox, CommandResult]:
    """An account with values that no shell would leave alone, imported with them."""
    sandbox.sim.world.console_create(name="chat", envs=[{"key": key, "value": VALUES[key]} for key in VALUES])
    sandbox.sim.world.console_create(name="cli", image={"command": "serve --api-key sk-$ID'x y"})
    ran = sandbox.run("import", "--all", "--out", "endpoints.yaml", "--env-out", ".env")
    assert ran.code == 0, ran.err
    return sandbox, ran


def test_the_values_come_back_byte_for_byte(imported: tuple[Sandbox, CommandResult]) -> None:
    """The printed command plans nothing, and an apply sends nothing; without the file nothing is known."""
    sandbox, ran = imported
    assert stat.S_IMODE((sandbox.root / ".env").stat().st_mode) == 0o600
    assert "set -a" not in ran.out
    command = ran.out.rpartition("Next:\n")[2].partition("#")[0].split()
    assert command == ["reconciler", "--env-file", ".env", "plan"]
    planned = sandbox.run(*command[1:], "--json")
    assert planned.document["summary"]["no_op"] == 2, planned.out
    assert sandbox.run("--env-file", ".env", "apply", "--auto-approve").code == 0
    assert sandbox.sent() == []
    assert sandbox.run("plan").code == 1
    told = [
        ran.out,
        ran.err,
        planned.out,
        *(text.decode() for name, text in sandbox.files().items() if name != ".env"),
    ]
    assert not [value for value in VALUES.values() if len(value) > 8 and any(value in text for text in told)]


def test_without_a_file_no_value_is_handed_to_a_shell(sandbox: Sandbox) -> None:
    """The way of filling it in by hand names the file that we read ourselves."""
    sandbox.sim.world.console_create(name="chat", envs=[{"key": "URL", "value": VALUES["URL"]}])
    ran = sandbox.run("import", "--all", "--out", "endpoints/a b.yaml")
    assert "set -a" not in ran.out
    assert "cp endpoints/.env.example endpoints/.env" in ran.out
    assert "reconciler --env-file endpoints/.env plan" in ran.out
    example = sandbox.root / "endpoints/.env.example"
    (sandbox.root / "endpoints/.env").write_text(
        example.read_text().replace("URL=", f"URL='{VALUES['URL']}'")
    )
    assert sandbox.run("--env-file", "endpoints/.env", "plan", "--json").document["summary"]["no_op"] == 1


@pytest.mark.parametrize("kept", ["untracked", "tracked", "ignored", "there", "dangling", "no folder"])
def test_the_file_is_refused_where_a_commit_would_take_it(sandbox: Sandbox, kept: str) -> None:
    """Before anything is written; a file that is there is never replaced."""
    sandbox.sim.world.console_create(name="chat", envs=[{"key": "URL", "value": VALUES["URL"]}])
    subprocess.run(["git", "init", "-q"], cwd=sandbox.root, check=True, timeout=60)
    file = "sub/live.env" if kept == "no folder" else "live.env"
    if kept == "tracked":
        sandbox.write(".gitignore", "live.env\n")
        sandbox.write(file, "")
        subprocess.run(["git", "add", "-f", file], cwd=sandbox.root, check=True, timeout=60)
        (sandbox.root / file).unlink()
    if kept in ("ignored", "there", "dangling"):
        sandbox.write(".gitignore", "*.env\n")
    if kept == "there":
        sandbox.write(file, "KEEP=1\n")
    if kept == "dangling":
        (sandbox.root / file).symlink_to("elsewhere")
    before = {name: text for name, text in sandbox.files().items() if not name.startswith(".git/")}
    ran = sandbox.run("import", "--all", "--out", "endpoints.yaml", "--env-out", file)
    if kept == "ignored":
        assert (ran.code, (sandbox.root / file).exists()) == (0, True)
        return
    assert (ran.code, "nothing was written" in ran.err) == (1, True)
    assert {name: text for name, text in sandbox.files().items() if not name.startswith(".git/")} == before
    if kept == "untracked":
        assert "echo live.env >> .gitignore" in ran.err


def test_the_environment_wins_and_nobody_else_sees_it(sandbox: Sandbox, tmp_path: Path) -> None:
    """Real variables first, then the later file; no key, host or child of ours takes anything from it."""
    sandbox.write(
        "a.env",
        "A=from-a\nB=from-a\nC=from-a\nNOVITA_API_KEY=sk_theirs\nNOVITA_BASE_URL=https://evil.example\n",
    )
    sandbox.write(
        "b.env",
        "B=from-b\nC=from-b\nRECONCILER_ALLOW_ENV=\nGIT_DIR=/nowhere\nHTTPS_PROXY=http://evil.example\n",
    )
    sandbox.monkeypatch.setenv("C", "from-here")
    sandbox.monkeypatch.setenv("A", "")
    sandbox.declare(item("chat", env={name: f"${{env:{name}}}" for name in "ABC"}))
    seen = tmp_path / "seen"
    (tmp_path / "bin").mkdir()
    git = tmp_path / "bin/git"
    git.write_text(f"#!/bin/sh\nenv >> {seen}\nexit 128\n")
    git.chmod(0o755)
    sandbox.monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert sandbox.run("--env-file", "a.env", "plan", "--env-file", "b.env").code == 0
    assert sandbox.run("apply", "--yes", "--env-file", "a.env", "--env-file", "b.env").code == 0
    sandbox.run("doctor", "--env-file", "a.env", "--env-file", "b.env")
    values = {one["key"]: one["value"] for one in sandbox.live()["chat"]["envs"]}
    assert values == {"A": "from-a", "B": "from-b", "C": "from-here"}
    assert "from-a" not in seen.read_text() + repr(os.environ)


def test_printed_commands_repeat_the_file(sandbox: Sandbox) -> None:
    """A saved plan is applied with the same variables."""
    sandbox.write("my vars.env", "T=hf_x\n")
    sandbox.declare(item("chat", env={"T": "${env:T}"}))
    ran = sandbox.run("plan", "--env-file", "my vars.env", "--out", "the.plan")
    assert "reconciler --env-file 'my vars.env' apply the.plan" in ran.out + ran.err
    assert sandbox.run("--env-file", "my vars.env", "apply", "the.plan").code == 0


def test_a_file_that_is_not_there_is_a_usage_error(sandbox: Sandbox) -> None:
    """Named with the option."""
    sandbox.declare(item("chat"))
    ran = sandbox.run("plan", "--env-file", "nope.env")
    assert (ran.code, "--env-file nope.env: there is no such file" in ran.err) == (64, True)


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
values = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
    st.text(st.sampled_from("ab\\'\"#$`= \n\r\t\f\u2028\ufeff{}"), max_size=12),
)


@given(st.dictionaries(names, values, max_size=5))
def test_any_values_can_be_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, given: dict[str, str]
) -> None:
    """To the byte, whatever follows on the next line."""
    root = tmp_path_factory.mktemp("env")
    (root / ".env").write_bytes(env_file_text(given).encode())
    assert read_env_files(root, [Path(".env")]) == given
