"""Where the inventory's files are: the map, and its companions beside it."""

from __future__ import annotations

import os
from pathlib import Path


def resolve(path: Path) -> Path:
    """The file itself behind any symlink: it is what gets replaced, and its companions stand beside it."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def beside(path: Path, suffix: str) -> Path:
    """The file that belongs to the map at `path`: `.journal`, `.backup`, `.lock`, `.lock.json`."""
    return path.with_name(path.name + suffix)
