"""Which files a run reads: the search under the root, or what `-f` names."""

from __future__ import annotations

from collections.abc import Sequence
from os.path import normpath
from pathlib import Path
from typing import Final

SUFFIXES: Final = (".yaml", ".yml", ".json")


def shown(path: Path, root: Path) -> str:
    """A file as the user would type it: relative to the root where that is shorter."""
    absolute, base = Path(normpath(root.absolute() / path)), Path(normpath(root.absolute()))
    return str(absolute.relative_to(base)) if absolute.is_relative_to(base) else str(path)


def searched(root: Path) -> list[Path]:
    """endpoints.yaml and the files in endpoints/, in a fixed order."""
    found = [root / f"endpoints{suffix}" for suffix in SUFFIXES if _exists(root / f"endpoints{suffix}")]
    return found + listed(root / "endpoints")


def groups(root: Path, files: Sequence[Path]) -> list[list[Path]]:
    """The files of each layer: one search, or one for each `-f`."""
    if not files:
        return [searched(root)]
    return [listed(root / path) if _is_directory(root / path) else [root / path] for path in files]


def listed(directory: Path) -> list[Path]:
    """The YAML and JSON files of a directory by name; hidden ones are editors' business."""
    try:
        inside = sorted(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError:
        # Reading it will fail as well, and say why. Taken for empty, all its endpoints would seem to be gone.
        return [directory / "*.yaml"]
    return [
        path
        for path in inside
        if path.suffix in SUFFIXES and not path.name.startswith(".") and not _is_directory(path)
    ]


def first_of(root: Path, names: Sequence[Path]) -> Path | None:
    """The first of several files that exists."""
    return next((root / name for name in names if _exists(root / name)), None)


def _exists(path: Path) -> bool:
    """Whether reading it is worth a try: a dangling link is, for it shall be reported."""
    try:
        return path.exists() or path.is_symlink()
    except OSError:
        return True


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
