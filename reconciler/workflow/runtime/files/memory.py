"""The configuration files of a long-lived process, parsed again only after one of them has changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from reconciler.config.environments import CONFIG_FILES
from reconciler.config.files.discovery import file_groups
from reconciler.config.loader import LoadedConfig, find_specs_file
from reconciler.model import durations
from reconciler.model.settings import Settings
from reconciler.workflow.runtime.config import load_files
from reconciler.workflow.runtime.context import Context
from reconciler.yamlfile.files import RootDirectory, UnreadableFile
from reconciler.yamlfile.reader import MAX_SIZE_MIB

Stamp: TypeAlias = tuple[str, int, int, int, int]
"""A path, and what changes with its content: the times of modification and of change, size and inode."""


class FileMemory:
    """The files of one folder, as they were parsed last. Unset references are warnings."""

    def __init__(self) -> None:
        self._stamps: list[Stamp] | None = None
        self._loaded: LoadedConfig | None = None

    def load(self, context: Context, settings: Settings) -> LoadedConfig:
        """Return the configuration of the files as they are now. No error is raised."""
        stamps = [_stamp(path) for path in _files(context, settings)]
        if self._loaded is None or self._stamps != stamps:
            self._loaded = load_files(context, lenient=True, needs_endpoints=False)
            self._stamps = stamps if _is_settled(stamps, RootDirectory(context.root)) else None
        return self._loaded


def _files(context: Context, settings: Settings) -> Iterator[Path]:
    yield from (context.root / path for path in CONFIG_FILES)
    specs = find_specs_file(context.root, settings)
    yield from (specs,) if specs else ()
    yield from chain(*file_groups(context.root, context.files))


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return str(path), 0, 0, 0, 0
    return str(path), found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _is_settled(stamps: list[Stamp], root: RootDirectory) -> bool:
    """Return True if another content would have other stamps.

    That is not so shortly after a write, because the clock of a file system is coarse, nor if a value comes
    from a further file.
    """
    settled = time.time_ns() - int(durations.FILE_CLOCK * 1e9)
    if any(max(modified, changed) > settled for _, modified, changed, _, _ in stamps):
        return False
    return not any(b"${file:" in _content(root, Path(path)) for path, *_ in stamps)


def _content(root: RootDirectory, path: Path) -> bytes:
    """Return the content of a file, or nothing if it is none that `load_files` reads."""
    with suppress(UnreadableFile):
        return root.read(path, MAX_SIZE_MIB * 2**20, named=True)
    return b""
