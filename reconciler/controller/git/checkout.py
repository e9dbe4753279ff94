"""The files of one commit, as a small git repository of its own: the commit, without its history."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from reconciler.controller.git.program import GitProgram
from reconciler.model import durations
from reconciler.model.errors import SourceError
from reconciler.model.problem import Problem

_ATTRIBUTES: Final = "* -text !eol -ident -filter !working-tree-encoding\n"
"""Files are as committed. These rules come before those of the repository itself."""

MAX_SUBJECT: Final = 200
"""Characters of the first line of a commit message."""


def is_intact(git: GitProgram, folder: Path, commit: str) -> bool:
    """Return whether the folder is a checkout of that commit whose files are unchanged."""
    if folder.is_symlink() or not (folder / ".git").is_dir():
        return False
    head = git.run(folder, "rev-parse", "--show-toplevel", "HEAD")
    if head.out.decode(errors="replace").splitlines() != [os.path.realpath(folder), commit]:
        return False
    changes = git.run(folder, "status", "--porcelain", "--untracked-files=no")
    return changes.status == 0 and not changes.out


def make_checkout(git: GitProgram, folder: Path, commit: str) -> None:
    """Download a commit into that new folder. Only the files below the path of the address are downloaded."""
    path = git.address.path
    folder.mkdir(mode=0o700)
    git(folder, "init", "--quiet", "--template=")
    git(folder, "config", "remote.origin.url", git.address.url)
    info = folder / ".git" / "info"
    info.mkdir()
    (info / "attributes").write_text(_ATTRIBUTES)
    if path:
        (info / "sparse-checkout").write_text(f"/{_escaped(path)}/\n", encoding="utf-8")
        git(folder, "config", "core.sparseCheckout", "true")
    only_path = ("--filter=blob:none",) if path else ()
    options = ("--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", *only_path)
    git.ask_server(folder, "fetch", *options, "origin", commit, timeout=durations.GIT_FETCH_TIMEOUT)
    git.ask_server(
        folder, "checkout", "--quiet", "--detach", commit, "--", timeout=durations.GIT_FETCH_TIMEOUT
    )


def check_files(folder: Path, path: str, name: str) -> None:
    """Raise SourceError if the path is no folder of the checkout, or endpoints in it are elsewhere.

    `name` is that of the commit.
    """
    root = folder / path
    if Path(os.path.realpath(root)) != Path(os.path.realpath(folder)) / path:
        hint = "name the folder itself with --path"
        raise _problem("git-path", f"{name}: {path} is behind a symbolic link", hint)
    if not root.is_dir():
        hint = "name a folder of the repository with --path"
        raise _problem("git-path", f"{name} has no folder {path}", hint)
    for below, folders, files in os.walk(root / "endpoints"):
        if not folders and not files:  # git makes no empty folders otherwise
            summary = f"{name}: {Path(below).relative_to(folder)} is a submodule, which is not read"
            hint = "commit its files to this repository: endpoints that seem to be missing would be deleted"
            raise _problem("git-submodule", summary, hint)


def author_and_subject(git: GitProgram, folder: Path) -> tuple[str, str]:
    """Return the author of the commit, and the first line of its message."""
    out = git(folder, "-c", "i18n.logOutputEncoding=UTF-8", "log", "-1", "--format=%an%x00%s", "HEAD", "--")
    author, subject = out.removesuffix("\n").split("\0")
    return author, subject[:MAX_SUBJECT]


def _escaped(path: str) -> str:
    """Return a path as a pattern that matches nothing else."""
    return re.sub(r"[*?\[\]\\ ]", r"\\\g<0>", path)


def _problem(code: str, summary: str, hint: str) -> SourceError:
    return SourceError(Problem(code=code, summary=summary, hint=hint))
