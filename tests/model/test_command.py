"""Printed commands: a shell passes each word to the program, and runs nothing else."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.command import Operand, SharedOptions, command_line, shell_quote

NASTY = (
    "a b",
    "a; touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "it's",
    'say "hi" ! !!',
    "two\nlines; touch pwned",
    "\n# comment",
    "ends with a newline\n",
    "tab\tesc\x1b[2J\r100%\\n",
    "bidi \u202e and \x9b and \u2028",
    "-rf",
    "--yes",
    "--target=a b",
    "größe-模型",
    "~",
    "*",
    "",
)


def shell_words(line: str, folder: Path, shell: str = "sh") -> list[str]:
    """Return the words that a program gets if a shell runs the line."""
    program = "import sys; sys.stdout.write('\\0'.join(sys.argv[1:]))"
    (folder / "show").write_text(f'#!/bin/sh\nexec {sys.executable} -c "{program}" "$@"\n')
    (folder / "show").chmod(0o755)
    ran = subprocess.run(
        [shell, "-c", f"./show {line}"], cwd=folder, capture_output=True, check=True, timeout=20
    )
    assert sorted(path.name for path in folder.iterdir()) == ["show"]
    return ran.stdout.decode().split("\0")


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("word", NASTY)
def test_words_are_quoted(word: str, shell: str, tmp_path: Path) -> None:
    line = command_line("scale", word, f"--target={word}")
    assert shell_words(line, tmp_path, shell) == ["scale", word, f"--target={word}"]
    assert line.isprintable() or word.endswith("\n")


@given(word=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_text_is_one_word(word: str) -> None:
    assert word.endswith("\n") or shell_quote(word).isprintable()
    assert not word.isprintable() or shlex.split(shell_quote(word)) == [word]


def test_a_lone_surrogate() -> None:
    assert shell_quote("\ud800") == "\"$(printf '\\355\\240\\200')\""


def test_an_operand_is_never_an_option() -> None:
    assert command_line("recover", Operand("chat"), "--id", "x") == "recover chat --id x"
    assert command_line("recover", Operand("-x"), "--id", "x") == "recover --id x -- -x"
    assert command_line("scale", Operand("--yes"), Operand("4")) == "scale -- --yes 4"


def test_a_command_that_reads_no_files_needs_no_options() -> None:
    """`schema` prints the same in every directory."""
    assert SharedOptions(directory="infra", state="x.json").arguments_for("schema") == ()
    assert SharedOptions(directory="infra", state="x.json").arguments_for("plan") == (
        "-C",
        "infra",
        "--state",
        "x.json",
    )
