"""Where the inventory's files are: the map, and its companions beside it."""

from __future__ import annotations

import os
from os.path import normpath
from pathlib import Path

from reconciler.model.command import shell_quote
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem


def resolve(path: Path) -> Path:
    """The file itself behind any symlink: it is what gets replaced, and its companions stand beside it."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def contained(root: Path, path: Path) -> Path:
    """The file `root / path`. Raises InventoryError for a folder, and where links lead it out of the root.

    Such a link may have come with somebody's pull request. A path that names another place outright may be
    followed: whoever types it knows.
    """
    whole = root / path
    if not whole.name or whole == root:
        raise InventoryError(
            Problem(
                code="no-file",
                summary=f"--state {shell_quote(str(path))} names a folder, and an inventory is a file",
                hint=f"name a file in it: `--state {shell_quote(str(path / 'novita.json'))}`",
            )
        )
    real, base = Path(os.path.realpath(whole)), Path(os.path.realpath(root))
    is_named_below = Path(normpath(whole.absolute())).is_relative_to(normpath(root.absolute()))
    if is_named_below and not real.is_relative_to(base):
        raise InventoryError(
            Problem(
                code="leads-outside",
                summary=f"{path} leads out of this folder, to {real}, through a symbolic link",
                hint="remove the link; or name the place itself, if it is meant: "
                f"`--state {shell_quote(str(real))}`",
            )
        )
    return whole


def beside(path: Path, suffix: str) -> Path:
    """The file that belongs to the map at `path`: `.journal`, `.backup`, `.lock`, `.lock.json`."""
    return path.with_name(path.name + suffix)
