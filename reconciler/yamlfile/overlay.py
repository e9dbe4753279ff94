"""Texts that are read instead of files, so that a change of files can be checked before it is written.

The files need not exist yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from os.path import normpath
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias

Texts: TypeAlias = Mapping[Path, str]
"""`absolute` path -> the text that is read instead of the file."""

NO_TEXTS: Final[Texts] = MappingProxyType({})


def absolute(path: Path) -> Path:
    """Return the one spelling of a path by which two can be compared; symbolic links are kept."""
    return Path(normpath(path.absolute()))
