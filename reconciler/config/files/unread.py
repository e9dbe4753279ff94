"""Files beside those of the endpoints: what is said of one that is not read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Final

from reconciler.config.files.discovery import SUFFIXES
from reconciler.model.problem import Problem, Severity

_NOT_MEANT: Final = frozenset({".adoc", ".gif", ".jpg", ".md", ".pdf", ".png", ".rst", ".svg", ".txt"})
"""What documentation and pictures end in."""

_SHOWN: Final = 10


def unread(files: Iterable[str]) -> Iterator[Problem]:
    """A warning that names the files that look like declarations and are not read; none for documentation."""
    if names := [file for file in files if _looks_meant(file)]:
        yield Problem(
            code="unread-files",
            severity=Severity.WARNING,
            summary=f"not read, and so not declared: {_listed(names)}",
            detail="Files of endpoints end in .yaml, .yml or .json; a link to a folder is not followed.",
            hint="rename what is to be read; move the rest elsewhere, or hide it with a `.` before its name",
        )


def hidden(files: Sequence[str]) -> Iterator[Problem]:
    """A note that names the hidden files and folders that were passed over."""
    if files:
        yield Problem(
            code="hidden-files",
            severity=Severity.NOTE,
            summary=f"hidden, and not read: {_listed(files)}",
            hint="a name that begins with `.` hides a file or a folder",
        )


def _looks_meant(file: str) -> bool:
    path = PurePath(file.lower())
    return path.suffix not in _NOT_MEANT or any(suffix in path.name for suffix in SUFFIXES)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
