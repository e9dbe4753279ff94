"""Which files a run reads: the search under the root, or what `-f` names.

Texts may stand in for files, also for such as do not exist yet, so that a change of files can be proven
before it is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain
from os.path import normpath
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

Texts: TypeAlias = Mapping[Path, str]
"""What is read instead of files, by their `absolute` paths."""

NO_TEXTS: Final[Texts] = MappingProxyType({})

SUFFIXES: Final = (".yaml", ".yml", ".json")


def absolute(path: Path) -> Path:
    """The one spelling of a path by which two can be compared; links stay as they are."""
    return Path(normpath(path.absolute()))


def shown(path: Path, root: Path) -> str:
    """A file of a run as the user would type it: a path from here, or from a root that is absolute."""
    below = root.is_absolute() and path.is_relative_to(root)
    return str(path.relative_to(root) if below else path)


def file_of(shown: str, root: Path) -> Path:
    """The file that is `shown` so."""
    return root / shown if root.is_absolute() else Path(shown)


def size_of(root: Path, files: Sequence[Path]) -> int:
    """How large (bytes) the files of a run are together; what cannot be looked at counts nothing."""
    total = 0
    for path in chain(*groups(root, files)):
        with suppress(OSError):
            total += path.stat().st_size
    return total


def searched(root: Path, instead: Texts = NO_TEXTS) -> list[Path]:
    """endpoints.yaml and the files in endpoints/, in a fixed order."""
    names = [root / f"endpoints{suffix}" for suffix in SUFFIXES]
    return [path for path in names if _exists(path, instead)] + listed(root / "endpoints", instead)


def groups(root: Path, files: Sequence[Path], instead: Texts = NO_TEXTS) -> list[list[Path]]:
    """The files of each layer: one search, or one for each `-f`."""
    if not files:
        return [searched(root, instead)]
    return [listed(root / path, instead) if _is_directory(root / path) else [root / path] for path in files]


def listed(directory: Path, instead: Texts = NO_TEXTS) -> list[Path]:
    """The YAML and JSON files of a directory by name; hidden ones are editors' business."""
    new = {directory / path.name for path in instead if path.parent == absolute(directory)}
    try:
        inside = sorted(new.union(directory.iterdir()))
    except (FileNotFoundError, NotADirectoryError):
        inside = sorted(new)
    except OSError:
        # Reading it will fail as well, and say why. Taken for empty, all its endpoints would seem to be gone.
        return [directory / "*.yaml"]
    return [
        path
        for path in inside
        if path.suffix in SUFFIXES and not path.name.startswith(".") and not _is_directory(path)
    ]


def first_of(root: Path, names: Sequence[Path], instead: Texts = NO_TEXTS) -> Path | None:
    """The first of several files that exists."""
    return next((root / name for name in names if _exists(root / name, instead)), None)


def _exists(path: Path, instead: Texts) -> bool:
    """Whether reading it is worth a try: a dangling link is, for it shall be reported."""
    if instead and absolute(path) in instead:
        return True
    try:
        return path.exists() or path.is_symlink()
    except OSError:
        return True


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False
