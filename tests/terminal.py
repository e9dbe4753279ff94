"""A command on a terminal, and a person who answers its prompt."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def on_terminal(
    command: Sequence[str], environ: Mapping[str, str], *, cwd: Path, answer: str = ""
) -> tuple[int, str]:
    """Run a command on a terminal, type an answer to its prompt, and return its code and the screen."""
    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        command, env=environ, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    screen = b""
    while chunk := _read(mine):
        screen += chunk
        if answer and b"Enter a value:" in screen:
            os.write(mine, f"{answer}\n".encode())
            answer = ""
    os.close(mine)
    return process.wait(120), screen.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    """Return what was written; nothing at the end, or after two minutes of silence."""
    if not select.select([terminal], [], [], 120)[0]:
        return b""
    try:
        return os.read(terminal, 65536)
    except OSError:  # the process has closed its side
        return b""
