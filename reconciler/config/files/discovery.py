"""Which files a run reads: the search under the root, or what `-f` names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Final

from reconciler.yamlfile.overlay import NO_TEXTS, Texts, absolute
from reconciler.yamlfile.root_check import Fence, Unreadable

SUFFIXES: Final = (".yaml", ".yml", ".json")

_OF_NO_INTEREST: Final = frozenset(
    {".adoc", ".gif", ".jpeg", ".jpg", ".md", ".pdf", ".png", ".rst", ".svg", ".txt"}
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search came upon: the files to read, in a fixed order; hidden ones; others that are not read."""

    files: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)
    unread: list[Path] = field(default_factory=list)


def layers(root: Path, files: Sequence[Path], instead: Texts = NO_TEXTS) -> list[Found]:
    """What there is in each layer: one search under the root, or one for each `-f`."""
    if not files:
        found = _inside(root, root / "endpoints", instead)
        return [replace(found, files=[*_at_top(root, instead), *found.files])]
    return [
        _inside(root, root / path, instead, named=True)
        if _is_directory(root / path)
        else Found(files=[root / path])
        for path in files
    ]


def groups(root: Path, files: Sequence[Path], instead: Texts = NO_TEXTS) -> list[list[Path]]:
    """The files of each layer."""
    return [found.files for found in layers(root, files, instead)]


def listed(directory: Path, instead: Texts = NO_TEXTS) -> list[Path]:
    """The YAML and JSON files below a directory, in a fixed order; hidden ones are editors' business."""
    return below(directory, instead).files


def _inside(root: Path, directory: Path, instead: Texts, *, named: bool = False) -> Found:
    """What is below a directory; where links lead it out of the root, a file whose reading says so."""
    try:
        Fence(root).folder(str(directory), named=named)
    except Unreadable:
        return Found(files=[directory / "*.yaml"])
    return below(directory, instead)


def below(directory: Path, instead: Texts = NO_TEXTS) -> Found:
    """What is below a directory, in folders inside of it as well; links to folders are not followed.

    A folder that cannot be listed is told of when a file stands for all of its files and cannot be read
    either: taken for empty, its endpoints would seem to be gone.
    """
    top = absolute(directory)
    new = {directory / path.relative_to(top) for path in instead if _is_visible(path, top)}
    found = Found(files=[path for path in new if _is_read(path.name)])
    waiting = [directory]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    path = folder / entry.name
                    if entry.name.startswith("."):
                        found.hidden.append(path)
                    elif entry.is_dir(follow_symlinks=False):
                        waiting.append(path)
                    elif not _is_read(entry.name) or (entry.is_symlink() and _is_directory(path)):
                        found.unread.append(path)
                    elif path not in new:
                        found.files.append(path)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError:
            found.files.append(folder / "*.yaml")
    for paths in (found.files, found.hidden, found.unread):
        paths.sort(key=lambda path: path.parts)
    return found


def _at_top(root: Path, instead: Texts) -> list[Path]:
    """endpoints.yaml, .yml and .json of the root, in every case of these letters."""
    names = [f"endpoints{suffix}" for suffix in SUFFIXES]
    with suppress(OSError):  # the usual names are tried all the same
        there = sorted(path.name for path in root.iterdir() if path.name.startswith("endpoints."))
        names += (name for name in there if name not in names)
    return [root / name for name in names if _is_read(name) and _exists(root / name, instead)]


def _is_visible(path: Path, top: Path) -> bool:
    return path.is_relative_to(top) and not any(part.startswith(".") for part in path.relative_to(top).parts)


def _is_read(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


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
