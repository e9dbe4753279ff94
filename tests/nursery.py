"""Runs the command line in forked children, so that a thousand runs cost a thousand forks and not start-ups.

A process of its own, because one with threads must not fork. It answers each line of JSON with one line:
{"start": [...], "cwd", "env", "out", "err", "seconds"} -> {"pid"}; {"wait": pid} -> {"code"}, minus a signal.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

SECONDS: Final = 60
"""A run that takes longer is ended by SIGALRM."""

_MEMORY: Final = 3 << 30
"""Bytes of address space; a run that wants more gets a MemoryError."""


class Nursery:
    """The parent of many short-lived runs."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate(timeout=10)

    def start(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        out: Path,
        err: Path | None = None,
        seconds: int = SECONDS,
    ) -> int:
        """Begin a run with `env` added to the environment, its streams appended to files. Its process ID."""
        streams = {"out": str(out), "err": str(err or out)}
        asked = {"start": list(arguments), "cwd": str(cwd), "env": dict(env), "seconds": seconds}
        return int(self._ask({**asked, **streams})["pid"])

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
    from reconciler.cli import main

    for name in main.COMMANDS:  # loaded once, for every child
        main.cli.get_command(None, name)  # type: ignore[arg-type]  # it asks nothing of its context
    from reconciler.cli import apply_flow  # noqa: F401 - and so is this

    for module in (
        "httpx",
        "yaml",
        "jsonschema",
        "jsonschema_rs",
        "deepdiff",
        "stamina",
        "filelock",
        "rich.table",
    ):
        __import__(module)
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            _, status = os.waitpid(asked["wait"], 0)
            answer = {"code": os.waitstatus_to_exitcode(status)}
        else:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            answer = {"pid": os.fork()}
            if not answer["pid"]:
                _be(asked)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _be(asked: dict[str, Any]) -> None:
    """Become one run, and never return."""
    from reconciler.cli.main import main

    signal.alarm(asked["seconds"])
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0)  # nothing was read of this one
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(asked[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.chdir(asked["cwd"])
    os.environ.update(asked["env"])
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    except KeyboardInterrupt:  # sent before there was a run
        os._exit(130)
    try:
        main(asked["start"])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    _serve()
