"""The real file system does what its name says."""

import os
from pathlib import Path

import pytest

from reconciler.inventory.files import FileSystem


def test_sync_fails_for_a_closed_file(tmp_path: Path) -> None:
    """A descriptor that is closed cannot be synced: the call is really made."""
    fd = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    FileSystem().sync(fd)
    os.close(fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        FileSystem().sync(fd)


def test_a_directory_that_is_not_there_cannot_be_synced(tmp_path: Path) -> None:
    """Names are made durable by their directory."""
    FileSystem().sync_directory(tmp_path)
    with pytest.raises(FileNotFoundError):
        FileSystem().sync_directory(tmp_path / "none")
