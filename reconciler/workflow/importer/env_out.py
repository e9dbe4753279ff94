"""`import --env-out`: the live values of variables, in a file that only its owner reads and git ignores."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from reconciler.config.files.env_files import env_file_text
from reconciler.inventory.files import FileSystem, write_all
from reconciler.kinds.base import Variable
from reconciler.model.command import shell_quote
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.workflow.runtime.git import GitStatus, git_status

HEAD = "# The live values of what the YAML reads from the environment. Secrets: not for git.\n"


def check(path: Path, shown: str) -> None:
    """Raises InvalidConfig unless the file can be made where no commit takes it along."""
    name = shell_quote(path.name)
    if path.exists() or path.is_symlink():
        what, hint = "is there already", "name a new file, and copy from it what the old one lacks"
    elif not path.parent.is_dir():
        what, hint = "would be in a folder that is not there", "make the folder first"
    elif (kept := git_status(path)) is GitStatus.IGNORED or (kept is None and not _is_in_repository(path)):
        return
    elif kept is None:
        what, hint = (
            "is in a repository, and git does not say whether it is ignored",
            "try `git status` there",
        )
    else:
        what = "would hold secrets, and git does not ignore it"
        hint = f"make git ignore it: echo {name} >> {shell_quote(str(path.parent / '.gitignore'))}"
    raise InvalidConfig(
        Problem(code="not-imported", summary=f"nothing was written: {shown} {what}", hint=hint)
    )


def write(path: Path, shown: str, variables: Iterable[Variable]) -> None:
    """Write the values for the owner's eyes. Raises InvalidConfig when that cannot be done."""
    text = HEAD + env_file_text({variable.name: variable.value for variable in variables})
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            write_all(FileSystem(), fd, text.encode())
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise InvalidConfig(
            Problem(code="cannot-write", summary=f"cannot write {shown}: {error.strerror or error}")
        ) from error


def _is_in_repository(path: Path) -> bool:
    return any((folder / ".git").exists() for folder in path.resolve().parents)
