"""The listing of frequent command lines begins before click is imported. Nothing else may differ."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import click
import pytest

from reconciler.cli import early_start
from reconciler.cli.main import cli
from tests.e2e.sandbox import Sandbox, item

BEGIN = """
import sys
from reconciler.cli.early_start import begin, _begun
begin(sys.argv[1:])
print(len([context for context, _ in _begun if context.early]), "click" in sys.modules)
"""
ENTRY = "from reconciler.cli.entry import main; main()"


def python(
    sandbox: Sandbox, script: str, *arguments: str, **options: Any
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=sandbox.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


@pytest.fixture
def declared(sandbox: Sandbox) -> Sandbox:
    (sandbox.root / "config.yaml").unlink()
    sandbox.declare(item("a"))
    return sandbox


@pytest.mark.parametrize(
    "words",
    [["plan"], ["plan", "--json", "--detailed-exitcode"], ["apply", "--auto-approve"], ["drift"], ["list"]],
)
def test_a_usual_listing_begins_before_click(declared: Sandbox, words: list[str]) -> None:
    done = python(declared, BEGIN, *words)
    assert done.stdout.split() == ["1", "False"], done.stderr


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["plan", "-e", "prod"],
        ["-C", "..", "plan"],
        ["plan", "-C", ".."],
        ["plan", "--parallelism", "1"],
        ["plan", "--help"],
        ["apply", "saved.plan"],
        ["apply", "--resume"],
        ["drift", "accept"],
        ["list", "-v"],
        ["get", "a"],
        ["plan", "--jso"],
    ],
)
def test_all_others_wait_for_their_options(declared: Sandbox, words: list[str]) -> None:
    done = python(declared, BEGIN, *words)
    assert done.stdout.split() == ["0", "False"], done.stderr


def test_a_config_file_and_the_variables_of_a_run_are_read_first(declared: Sandbox) -> None:
    for name in ("RECONCILER_ENV", "RECONCILER_STATE"):
        declared.monkeypatch.setenv(name, "prod")
        assert python(declared, BEGIN, "plan").stdout.split() == ["0", "False"]
        declared.monkeypatch.delenv(name)
    for file in ("config.yaml", "config/config.yaml"):
        path = declared.root / file
        path.parent.mkdir(exist_ok=True)
        path.symlink_to("nowhere")
        assert python(declared, BEGIN, "plan").stdout.split() == ["0", "False"]
        path.unlink()
    assert python(declared, BEGIN, "plan").stdout.split() == ["1", "False"]


def test_the_listing_is_used_and_the_output_is_the_same(declared: Sandbox) -> None:
    """With an empty config.yaml, the listing begins after the options are parsed."""
    declared.apply()
    seen = []
    for config in (None, "{}\n"):
        if config is not None:
            (declared.root / "config.yaml").write_text(config)
        before = len(declared.sent("list"))
        done = python(declared, ENTRY, "plan", "--detailed-exitcode")
        seen.append((done.returncode, done.stdout, done.stderr, len(declared.sent("list")) - before))
    assert seen[0] == seen[1]
    assert seen[0][::3] == (0, 2)


def test_an_apply_creates_once(declared: Sandbox) -> None:
    done = python(declared, ENTRY, "apply", "--yes")
    assert done.returncode == 0, done.stderr
    assert len(declared.sent("create")) == 1


def test_a_missing_key_is_reported_by_the_command(declared: Sandbox) -> None:
    declared.monkeypatch.delenv("NOVITA_API_KEY")
    done = python(declared, ENTRY, "plan")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_a_closed_stream_gets_no_connection(declared: Sandbox) -> None:
    """A connection that has the number of stdout would receive the output of a child process."""
    script = BEGIN.replace("print(", "sys.exit(").replace(', "click" in sys.modules', "")
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" plan >&-', sys.executable, script],
        cwd=declared.root,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_removed_folder_is_an_error(declared: Sandbox) -> None:
    script = f"import os; os.rmdir(os.getcwd())\n{ENTRY}"
    folder = declared.root / "gone"
    folder.mkdir()
    done = subprocess.run(
        # -P as for the installed command: with the folder in sys.path, Python 3.13.0 cannot import `socket`
        [sys.executable, "-P", "-c", script, "list"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the current folder does not exist any more;")


def test_the_flags_are_flags_and_the_commands_list_in_this_way(declared: Sandbox) -> None:
    """Each flag is an option without a value; each command calls for the listing of the table."""
    declared.apply()
    called: list[Mapping[str, bool]] = []
    begun = early_start.begun_listing

    def recorded(context: Any, **options: bool) -> Any:
        called.append(options)
        return begun(context, **options)

    declared.monkeypatch.setattr(early_start, "begun_listing", recorded)
    known = set()
    for name, options in early_start.LISTINGS.items():
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        flags = {
            flag
            for option in command.params
            for flag in option.opts
            if isinstance(option, click.Option) and option.is_flag
        }
        known |= flags
        words = [name, *sorted(early_start.FLAGS & flags)]
        assert declared.run(*words).code == 0
        assert called.pop() == options
    assert known >= early_start.FLAGS
