"""A shell that runs the commands of a page, those of reconciler in this process."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from reconciler.cli.main import run

_PLAIN = re.compile(r"reconciler( [^|<>&;$`]*)?")
"""A command that needs no shell."""


class Answers:
    """What a person types at prompts. Like a terminal, it shows what is typed."""

    def __init__(self, answers: Iterable[str], screen: io.StringIO) -> None:
        self._answers = iter(answers)
        self._screen = screen

    def readline(self) -> str:
        answer = next(self._answers, "")
        self._screen.write(f"{answer}\n")
        return f"{answer}\n" if answer else ""

    def isatty(self) -> bool:
        return False


class Shell:
    """A folder, an environment, and the exit code of the last command."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.code = 0
        monkeypatch.chdir(folder)
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")

    def run(self, command: str, answers: Iterable[str] = ()) -> str:
        """Run a command and return what a terminal shows below it."""
        if command == "echo $?":
            code, self.code = self.code, 0
            return f"{code}\n"
        if command.startswith("export ") and "$" not in command:
            for word in shlex.split(command)[1:]:
                self._monkeypatch.setenv(*word.split("=", 1))
            return ""
        if match := re.fullmatch(r"cd (\S+)", command):
            self._monkeypatch.chdir(match[1])
            return ""
        if _PLAIN.fullmatch(command):
            return self._run_here(shlex.split(command)[1:], answers)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            input="".join(f"{answer}\n" for answer in answers),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        self.code = done.returncode
        return done.stdout

    def _run_here(self, arguments: list[str], answers: Iterable[str]) -> str:
        screen = io.StringIO()
        with self._monkeypatch.context() as patch, redirect_stdout(screen), redirect_stderr(screen):
            patch.setattr(sys, "stdin", Answers(answers, screen))
            self.code = run(arguments)
        return screen.getvalue()
