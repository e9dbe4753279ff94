"""Shell completion, tested with the shells themselves."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent

BASH = """
source <(reconciler completion bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
compopt() { COMPREPLY+=("compopt $1 $2"); }
_reconciler_completion reconciler
printf '%s\\n' "${COMPREPLY[@]}"
"""

# zsh hands words and descriptions to these two, which then draw the menu
ZSH = """
compdef() { : }
compadd() { print -l -- ${(P)@[-1]} }
_describe() { print -l -- ${${(P)3}%%:*} }
_path_files() { print -- _path_files $* }
source <(reconciler completion zsh)
words=("$@") CURRENT=$#
_reconciler_completion
"""

FISH = """
reconciler completion fish | source
complete -C (string join ' ' -- $argv)
"""


def shell_or_skip(name: str) -> str:
    """Return the path of the shell, which must exist in CI."""
    found = shutil.which(name)
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed")
    assert found is not None, f"{name} is not installed: .ci/run installs it"
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two declared endpoints, a recorded one, and a base file."""
    (tmp_path / "state").mkdir()
    declared = {"endpoints": [{"endpoint": "chat"}, {"endpoint": "embed"}, {"endpoint": "two words"}]}
    (tmp_path / "endpoints.yaml").write_text(json.dumps(declared))
    (tmp_path / "base.yaml").write_text(json.dumps({"endpoints": [{"endpoint": "ground"}]}))
    records = {"format": 1, "base_url": "", "endpoints": {"chunk": {"id": "1", "applied": {}}}}
    (tmp_path / "state/novita.json").write_text(json.dumps(records))
    return tmp_path


def asked(shell: str, cwd: Path, *line: str) -> list[str]:
    """Return the completions of the last word of a line, without descriptions; stderr must be empty."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("NOVITA_", "COMP_"))},
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(cwd),
    }
    call = {
        "bash": ["bash", "--norc", "-c", BASH, "bash"],
        "zsh": ["zsh", "-f", "-c", ZSH, "zsh"],
        "fish": ["fish", "--no-config", "-c", FISH],
    }[shell]
    done = subprocess.run(
        [shell_or_skip(shell), *call[1:], "reconciler", *line],
        cwd=cwd, env=environ, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return [answer.split("\t")[0] for answer in done.stdout.splitlines() if answer]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_completes_commands_options_and_names(shell: str, folder: Path) -> None:
    """Each shell sources its script as the help says."""
    assert set(asked(shell, folder, "")) >= set(COMMANDS)
    assert asked(shell, folder, "rec") == ["recover"]
    assert asked(shell, folder, "plan", "--bi") == ["--bind-commit"]
    assert sorted(asked(shell, folder, "rollback", "ch")) == ["chat", "chunk"]
    assert asked(shell, folder, "completion", "f") == ["fish"]


COMPLETES = {
    "bash": ["bash", "-i", "-c", "complete -p reconciler"],
    "zsh": ["zsh", "-i", "-c", "print $_comps[reconciler]"],
    "fish": ["fish", "-c", "complete -C 'reconciler reco'"],
}
"""A new shell, and what it prints if it completes reconciler: the function, or the completions."""


@pytest.mark.parametrize(
    ("shell", "shown"), [(name, "_reconciler") for name in ("bash", "zsh")] + [("fish", "recover")]
)
def test_a_new_shell_has_the_installed_completion(shell: str, shown: str, tmp_path: Path) -> None:
    """Also after a second installation, which does not add its line to the start-up file again."""
    environ = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "SHELL": f"/bin/{shell}",
    }
    rc = tmp_path / f".{shell}rc"
    rc.write_text("alias ll='ls -l'")  # without a line break at its end

    for _ in range(2):
        install = ["reconciler", "completion", "--install"]
        done = subprocess.run(install, env=environ, capture_output=True, text=True, check=True, timeout=60)

    assert f"A new {shell} completes reconciler." in done.stdout
    assert rc.read_text().splitlines()[0] == "alias ll='ls -l'"
    assert len(rc.read_text().splitlines()) == (1 if shell == "fish" else 2)
    command = [shell_or_skip(shell), *COMPLETES[shell][1:]]
    new = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert shown in new.stdout


def test_an_installation_that_fails_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("no folder")
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    command = [BIN / "reconciler", "completion", "bash", "--install"]

    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)

    assert done.returncode == 1
    assert "Not a directory. Print the script instead: reconciler completion bash" in " ".join(
        done.stderr.split()
    )


@pytest.mark.parametrize(
    "line",
    [
        ["history", "e"],
        ["recover", "e"],
        ["rollback", "e"],
        ["state", "show", "e"],
        ["state", "rm", "chat", "e"],
        ["plan", "--target", "e"],
        ["plan", "--exclude", "e"],
        ["--target", "e"],
        ["-C", ".", "apply", "--yes", "--target", "chat", "--exclude", "e"],
    ],
    ids=" ".join,
)
def test_endpoint_names_are_completed(line: list[str], folder: Path) -> None:
    """The declared endpoint with this prefix is offered."""
    assert asked("bash", folder, *line) == ["embed"]


def test_names_come_from_the_files_of_the_line(folder: Path) -> None:
    """-C, -f and --state are respected before and after the command."""
    there = folder / "elsewhere"
    there.mkdir()
    declared = {"endpoints": [{"endpoint": "elsewhere-1"}]}
    (there / "endpoints.yaml").write_text(json.dumps(declared))
    assert asked("bash", folder, "-C", "elsewhere", "rollback", "") == ["elsewhere-1"]
    assert asked("bash", folder, "rollback", "-C", "~/elsewhere", "") == ["elsewhere-1"]
    assert asked("bash", folder, "-f", "base.yaml", "rollback", "") == ["ground", "chunk"]
    assert asked("bash", folder, "plan", "-f", "base.yaml", "--state", "no", "--target", "") == ["ground"]


def test_names_that_need_quotes_are_not_offered(folder: Path) -> None:
    """A name with a space is not offered, because each shell quotes it in a different way."""
    assert asked("bash", folder, "rollback", "") == ["chat", "embed", "chunk"]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (["-C"], "dirnames"),
        (["-f"], "default"),
        (["--state"], "default"),
        (["apply"], "default"),
        (["plan", "--out"], "default"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_files_are_left_to_the_shell(line: list[str], kind: str, folder: Path) -> None:
    """The shell completes files itself."""
    assert f"compopt -o {kind}" in asked("bash", folder, *line, "")


@pytest.mark.parametrize("broken", ["endpoints.yaml", "state/novita.json"])
def test_broken_files_cause_no_output(broken: str, folder: Path) -> None:
    """Names that can be read are offered, and errors are not printed."""
    (folder / broken).write_text("{: [")
    kept = {"endpoints.yaml": ["chunk"], "state/novita.json": ["chat", "embed"]}[broken]
    assert asked("bash", folder, "rollback", "") == kept


@pytest.mark.parametrize(
    "line",
    [["no-such-command"], ["-C", "nowhere", "rollback"], ["plan", "--parallelism", "many", "--target"]],
    ids=" ".join,
)
def test_an_invalid_line_causes_no_output(line: list[str], folder: Path) -> None:
    """Errors of the line are reported when it is entered, not while it is completed."""
    assert "ground" not in asked("bash", folder, *line, "")


def test_an_invalid_request_completes_nothing(folder: Path) -> None:
    """An unknown shell or an invalid variable completes nothing."""
    for question in ("tcsh_complete", "bash_complete", "nonsense"):
        environ = {**os.environ, "_RECONCILER_COMPLETE": question, "COMP_WORDS": "x", "COMP_CWORD": "?"}
        done = subprocess.run(
            [BIN / "reconciler"],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_completion_imports_only_what_it_needs(folder: Path) -> None:
    """Completing commands imports no command, and completing names imports only PyYAML."""
    script = (
        "import os, sys\n"
        "from reconciler.cli.main import main\n"
        "try: main()\n"
        "finally: print(*sorted(m for m in sys.modules if not m.startswith('click')), file=sys.stderr)\n"
    )
    for line, expected in (("reconciler ", set()), ("reconciler plan --target ", {"yaml"})):
        environ = {
            **os.environ,
            "_RECONCILER_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split())),
        }
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        heavy = {"deepdiff", "filelock", "httpx", "jsonschema", "jsonschema_rs", "rich", "stamina", "yaml"}
        loaded = set(done.stderr.split())
        assert loaded & heavy == expected
        assert ("reconciler.cli.commands.plan" in loaded) == bool(expected)


def test_specs_are_completed_from_their_file(folder: Path) -> None:
    """Specs are completed for arguments that name a spec."""
    import click

    from reconciler.cli.shell_completion import complete_specs

    specs = {"specs": [{"name": "small"}, {"name": "large"}]}
    (folder / "specs.yaml").write_text(json.dumps(specs))
    argument = click.Argument(["name"], shell_complete=complete_specs)
    context = click.Context(click.Command("specs", params=[argument]))
    context.params = {"directory": str(folder)}
    assert [item.value for item in argument.shell_complete(context, "s")] == ["small"]
