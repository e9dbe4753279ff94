"""A server that runs the command line in forked children: a run costs a fork instead of a start of Python.

The server is a process of its own, because a process with threads must not fork. It answers each line of JSON
with one line: {"start": [...], "cwd", "env", "out", "err", "seconds"} -> {"pid"}; {"wait": pid} -> {"code"}.
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
"""The longest time of a run; SIGALRM ends one that takes longer."""

FIRST_WAIT: Final = 0.02
"""Seconds before a call is sent again for the first time, doubled each time; in production it is 0.5."""

_MEMORY: Final = 3 << 30
"""Bytes of address space of a run; a run that needs more gets a MemoryError."""


class ForkServer:
    """The parent process of many short runs. Not thread-safe."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate(timeout=60)

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
        """Start a run and return its process ID. `env` is its whole environment; its streams go to files."""
        streams = {"out": str(out), "err": str(err or out)}
        message = {"start": list(arguments), "cwd": str(cwd), "env": dict(env), "seconds": seconds}
        return int(self._request({**message, **streams})["pid"])

    def wait(self, pid: int) -> int:
        """Wait for a run and return its exit code, or minus the signal that ended it."""
        return int(self._request({"wait": pid})["code"])

    def _request(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
        response = json.loads(self._process.stdout.readline())
        assert isinstance(response, dict)
        return response


def _serve() -> None:
    from reconciler.cli import main

    for name in main.COMMANDS:  # imported once, for every child
        main.cli.get_command(None, name)  # type: ignore[arg-type]  # it does not use its context
    from reconciler.cli import apply_flow  # noqa: F401

    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # as in conftest.py
    for module in (
        "httpx",
        "reconciler.novita.http.httpx_transport",
        "yaml",
        "jsonschema",
        "jsonschema_rs",
        "deepdiff",
        "stamina",
        "filelock",
        "rich.table",
    ):
        __import__(module)
    from reconciler.model import durations

    durations.FIRST_RETRY_PAUSE = FIRST_WAIT
    for line in sys.stdin:
        message = json.loads(line)
        if "wait" in message:
            _, status = os.waitpid(message["wait"], 0)
            response = {"code": os.waitstatus_to_exitcode(status)}
        else:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            response = {"pid": os.fork()}
            if not response["pid"]:
                _run(message)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        sys.stdout.write(json.dumps(response) + "\n")
        sys.stdout.flush()


def _run(message: dict[str, Any]) -> None:
    """Run the command line in this process and end it."""
    from reconciler.cli.main import main

    signal.alarm(message["seconds"])
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0)  # nothing has been read from this one
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(message[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.chdir(message["cwd"])
    os.environ.clear()
    os.environ.update(message["env"])
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    except KeyboardInterrupt:  # sent before there was a run
        os._exit(130)
    try:
        main(message["start"])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    _serve()
