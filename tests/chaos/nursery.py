"""Runs the command line in forked children, so that a thousand runs cost a thousand forks and not start-ups.

A process of its own, because one with threads must not fork. It answers each line of JSON with one line:
{"start": [...], "cwd", "env", "out"} -> {"pid"}; {"wait": pid} -> {"code"}, negative for a signal.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class Nursery:
    """The parent of many short-lived runs."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def start(self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], out: Path) -> int:
        """Begin a run; returns its process ID."""
        answer = self._ask({"start": list(arguments), "cwd": str(cwd), "env": dict(env), "out": str(out)})
        return int(answer["pid"])

    def wait(self, pid: int) -> int:
        """The exit code of a run; minus the signal that ended it."""
        return int(self._ask({"wait": pid})["code"])

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert isinstance(answer, dict)
        return answer


def _serve() -> None:
    from reconciler.cli import apply, main, plan  # noqa: F401 - loaded once, for every child
    from reconciler.cli.performing import perform  # noqa: F401 - and so is this

    for module in ("httpx", "yaml", "jsonschema_rs", "deepdiff", "stamina", "filelock"):
        __import__(module)
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            _, status = os.waitpid(asked["wait"], 0)
            answer = {"code": os.waitstatus_to_exitcode(status)}
        else:
            answer = {"pid": os.fork()}
            if not answer["pid"]:
                _be(asked)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _be(asked: dict[str, Any]) -> None:
    """Become one run, and never return."""
    from reconciler.cli.main import run

    out = os.open(asked["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.chdir(asked["cwd"])
    os.environ.update(asked["env"])
    code = 1
    try:
        code = run(asked["start"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
