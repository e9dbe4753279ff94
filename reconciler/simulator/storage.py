"""The world on disk: one JSON file, always whole, because it is replaced and never rewritten."""

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any


def save(path: Path, data: dict[str, Any]) -> None:
    """Writes the file beside its place and moves it there; nobody ever reads half of it.

    It is for its owner alone, for it holds env values in clear. Its modification time always grows, even
    between saves within one tick of the clock, so that `signature` tells any two of them apart as long as
    savers take turns.
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
    """What was saved; None if nothing was. A file that is something else raises ValueError with its path."""
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
    """What changes whenever the file is saved; None if there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
