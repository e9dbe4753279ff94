"""The state file of the simulator: JSON that is replaced atomically."""

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any


def save(path: Path, data: dict[str, Any]) -> None:
    """Replace the file atomically.

    Only its owner can read it, because it holds env values in clear text. Its modification time grows with
    each save, even within one tick of the clock, so that each save has another `signature`.
    """
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        before = signature(path)
        moment = max(time.time_ns(), before[0] + 1 if before else 0)
        os.utime(temporary, ns=(moment, moment))
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


def load(path: Path) -> dict[str, Any] | None:
    """Return the saved state, or None if there is no file. Raise ValueError for any other file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        data = json.loads(text)
    except ValueError as problem:
        raise ValueError(f"{path}: not a simulator's state file: {problem}") from None
    if not isinstance(data, dict) or data.get("format") != 1 or "fleet" not in data:
        raise ValueError(f"{path}: not a simulator's state file")
    return data


def signature(path: Path) -> tuple[int, int, int] | None:
    """Return a value that changes with each save, or None if there is no file."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
