"""The files of a run: the search below the root, or the arguments of `-f`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import field, replace
from itertools import chain
from pathlib import Path, PurePath
from typing import Final

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem, Severity
from reconciler.yamlfile.files import (
    NO_OVERRIDES,
    FileOverrides,
    RootDirectory,
    UnreadableFile,
    normalized_path,
)

SUFFIXES: Final = (".yaml", ".yml", ".json")

_DOCUMENTATION: Final = frozenset({".adoc", ".gif", ".jpg", ".md", ".pdf", ".png", ".rst", ".svg", ".txt"})
"""Suffixes of documentation and pictures, for which no warning is given."""

_MAX_NAMED: Final = 10
"""Files that one problem names."""


def display_path(path: Path, root: Path) -> str:
    """Return a path as the user would type it: relative to the working directory, or to an absolute root."""
    is_relative = root.is_absolute() and path.is_relative_to(root)
    return str(path.relative_to(root) if is_relative else path)


def path_of_display(shown: str, root: Path) -> Path:
    """Return the path that `display_path` shows so."""
    return root / shown if root.is_absolute() else Path(shown)


def total_size(root: Path, files: Sequence[Path]) -> int:
    """Return the total size (bytes) of the files of a run, without those that cannot be accessed."""
    total = 0
    for path in chain(*file_groups(root, files)):
        with suppress(OSError):
            total += path.stat().st_size
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The result of a search: files to read, in a fixed order; hidden ones; and other files."""

    files: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)
    unread: list[Path] = field(default_factory=list)


def search_layers(
    root: Path, files: Sequence[Path], overrides: FileOverrides = NO_OVERRIDES
) -> list[SearchResult]:
    """Return the files of each layer: one search below the root, or one for each `-f`."""
    if not files:
        below = _search(root, root / "endpoints", overrides)
        return [replace(below, files=[*_top_files(root, overrides), *below.files])]
    return [
        _search(root, root / path, overrides, named=True)
        if _is_directory(root / path)
        else SearchResult(files=[root / path])
        for path in files
    ]


def file_groups(
    root: Path, files: Sequence[Path], overrides: FileOverrides = NO_OVERRIDES
) -> list[list[Path]]:
    """Return the files to read of each layer."""
    return [layer.files for layer in search_layers(root, files, overrides)]


def _search(root: Path, directory: Path, overrides: FileOverrides, *, named: bool = False) -> SearchResult:
    """Search a directory. If links lead out of the root, return a file whose reading reports it."""
    try:
        RootDirectory(root).check_folder(str(directory), named=named)
    except UnreadableFile:
        return SearchResult(files=[directory / "*.yaml"])
    return search_folder(directory, overrides)


def search_folder(directory: Path, overrides: FileOverrides = NO_OVERRIDES) -> SearchResult:
    """Search a directory recursively, without following links to folders.

    A folder that cannot be listed gives one file that stands for all of its files, whose reading then fails.
    If it counted as empty, its endpoints would seem to be removed.
    """
    top = normalized_path(directory)
    overridden = {directory / path.relative_to(top) for path in overrides if _is_visible(path, top)}
    result = SearchResult(files=[path for path in overridden if _has_suffix(path.name)])
    pending = [directory]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    path = folder / entry.name
                    if entry.name.startswith("."):
                        result.hidden.append(path)
                    elif entry.is_dir(follow_symlinks=False):
                        pending.append(path)
                    elif not _has_suffix(entry.name) or (entry.is_symlink() and _is_directory(path)):
                        result.unread.append(path)
                    elif path not in overridden:
                        result.files.append(path)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError:
            result.files.append(folder / "*.yaml")
    for paths in (result.files, result.hidden, result.unread):
        paths.sort(key=lambda path: path.parts)
    return result


def _top_files(root: Path, overrides: FileOverrides) -> list[Path]:
    """Return endpoints.yaml, .yml and .json of the root, in any case."""
    names = [f"endpoints{suffix}" for suffix in SUFFIXES]
    with suppress(OSError):  # the usual names are still tried
        variants = sorted(path.name for path in root.iterdir() if path.name.startswith("endpoints."))
        names += (name for name in variants if name not in names)
    return [root / name for name in names if _has_suffix(name) and _exists(root / name, overrides)]


def _is_visible(path: Path, top: Path) -> bool:
    return path.is_relative_to(top) and not any(part.startswith(".") for part in path.relative_to(top).parts)


def _has_suffix(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def first_existing(root: Path, names: Sequence[Path], overrides: FileOverrides = NO_OVERRIDES) -> Path | None:
    """Return the first file that exists, or None."""
    return next((root / name for name in names if _exists(root / name, overrides)), None)


def _exists(path: Path, overrides: FileOverrides) -> bool:
    """Return True if the file should be read. A dangling link should, so that it is reported."""
    if overrides and normalized_path(path) in overrides:
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


def warn_of_unread_files(files: Iterable[str]) -> Iterator[Problem]:
    """Yield a warning that names files which look like endpoint files but are not read."""
    if names := [file for file in files if _looks_like_endpoints(file)]:
        yield Problem(
            code="unread-files",
            severity=Severity.WARNING,
            summary=f"not read, so their endpoints are not declared: {_listed(names)}",
            detail="Endpoint files end in .yaml, .yml or .json; links to folders are not followed.",
            hint="rename files that should be read; move or hide the others, with a `.` before the name",
        )


def note_hidden_files(files: Sequence[str]) -> Iterator[Problem]:
    """Yield a note that names the hidden files and folders, which are not read."""
    if files:
        yield Problem(
            code="hidden-files",
            severity=Severity.NOTE,
            summary=f"hidden, and not read: {_listed(files)}",
            hint="a name that begins with `.` hides a file or a folder",
        )


def _looks_like_endpoints(file: str) -> bool:
    path = PurePath(file.lower())
    return path.suffix not in _DOCUMENTATION or any(suffix in path.name for suffix in SUFFIXES)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return ", ".join(names[:_MAX_NAMED]) + more
