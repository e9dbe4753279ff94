"""The entry point: how the process ends, and messages about the command line."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.cli.main import run


def test_a_hanging_thread_does_not_delay_the_exit(tmp_path: Path) -> None:
    """A thread that still waits for a server does not delay the end of the process."""
    script = (
        "import threading, time\n"
        "from reconciler.cli.main import main\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "main(['specs', '--json'])\n"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=50
    )
    assert time.monotonic() - began < 30
    assert (done.returncode, done.stdout) == (0, "[]\n")


def test_output_is_flushed_before_the_exit(tmp_path: Path) -> None:
    """Output to a pipe is flushed before the process ends."""
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "schema", "endpoints"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(done.stdout)["$schema"]


@pytest.mark.parametrize("folder", [".", "./", "/", "state"])
@pytest.mark.parametrize(
    "words", [["list"], ["state", "list"], ["plan"], ["apply", "--yes"], ["doctor"]], ids=" ".join
)
def test_an_inventory_path_must_not_be_a_folder(
    words: list[str],
    folder: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NOVITA_BASE_URL", "simulator")
    monkeypatch.setenv("NOVITA_API_KEY", "sk-of-this-test")
    (tmp_path / "endpoints.yaml").write_text("endpoints: []\n")
    (tmp_path / "state").mkdir()
    code = run([*words, "--state", folder])
    said = capsys.readouterr()
    assert code == 1 or (words == ["list"] and folder == "state")
    assert "has a bug" not in said.out + said.err
    assert "folder" in said.out + said.err or "directory" in said.out + said.err


@pytest.mark.parametrize(
    "words",
    [
        ["plan", "-C"],
        ["validate", "-f"],
        ["state", "list", "--state"],
        ["plan", "--out"],
        ["plan", "--json-into"],
        ["drift", "--baseline"],
        ["plan", "--env-file"],
        ["apply"],
        ["import", "--all", "--out"],
        ["init", "-C"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("name", ["a" * 5000, "loop/x", "file/x"], ids=["long", "loop", "below a file"])
def test_an_invalid_path_is_not_reported_as_a_bug(
    words: list[str],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A path that is too long, loops or is below a file is a short error message."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NOVITA_BASE_URL", "simulator")
    monkeypatch.setenv("NOVITA_API_KEY", "sk-of-this-test")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("")
    assert run([*words, name]) in (1, 64)
    said = capsys.readouterr().err
    assert "has a bug" not in said
    assert "rror: " in said


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["apply", "-auto-approve"], "No such option '-auto-approve'. Did you mean '--auto-approve'?"),
        (["plan", "-out=x"], "No such option '-out'. Did you mean '--out'?"),
        (["plan", "-x"], "No such option '-x'."),
        (["aply"], "No such command 'aply'. Did you mean 'apply'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistyped_word_gets_a_suggestion(
    arguments: list[str], suggestion: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message for an option with a single dash, as in Terraform, names the long option."""
    assert run(arguments) == 64
    assert suggestion in capsys.readouterr().err


def test_help_is_a_command_too(capsys: pytest.CaptureFixture[str]) -> None:
    """As with Terraform and kubectl."""
    for words, flag in (
        (["help"], ["--help"]),
        (["help", "plan"], ["plan", "-h"]),
    ):
        assert run(words) == 0
        text = capsys.readouterr().out
        assert run(flag) == 0
        assert text == capsys.readouterr().out


def test_the_help_has_own_options_first_and_shared_ones_on_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command refers to the page, which the help of the program includes."""
    assert run(["plan", "--help"]) == 0
    text = capsys.readouterr().out
    assert text.index("\nOptions:") < text.index("\nReport options:") < text.index("\nShared options")
    assert text.index("--bind-commit") < text.index("--explain")
    assert "--state" not in text
    assert "reconciler help options" in text
    assert run(["help", "options"]) == 0
    page = capsys.readouterr().out
    assert all(name in page for name in ("--state", "--target", "-C DIR"))
    assert run(["--help"]) == 0
    assert page[page.index("Shared options:") :].strip() in capsys.readouterr().out
