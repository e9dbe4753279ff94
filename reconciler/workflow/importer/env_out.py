"""`import --env-out`: write the live values of variables to a file that only its owner can read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from reconciler.config.files.env_files import env_file_text
from reconciler.inventory.files import FileSystem, write_all
from reconciler.kinds.draft import Variable
from reconciler.model.command import shell_quote
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.workflow.runtime.git import GitStatus, git_status

HEADER = "# Values of the variables that the YAML refers to. Contains secrets: do not commit.\n"


def check_env_file(path: Path, shown: str) -> None:
    """Raise InvalidConfig unless the file can be created and is not committed to git."""
    name = shell_quote(path.name)
    if path.exists() or path.is_symlink():
        what, hint = "already exists", "name a new file, and copy the missing variables from it"
    elif not path.parent.is_dir():
        what, hint = "would be in a folder that does not exist", "create the folder first"
    elif (kept := git_status(path)) is GitStatus.IGNORED or (kept is None and not _is_in_repository(path)):
        return
    elif kept is None:
        what, hint = (
            "is in a repository, and git cannot tell whether it is ignored",
            "run `git status` in that folder",
        )
    else:
        what = "would contain secrets, and git does not ignore it"
        hint = f"add it to .gitignore: echo {name} >> {shell_quote(str(path.parent / '.gitignore'))}"
    raise InvalidConfig(
        Problem(code="not-imported", summary=f"nothing was written: {shown} {what}", hint=hint)
    )


def write_env_file(path: Path, shown: str, variables: Iterable[Variable]) -> None:
    """Create the file, readable by its owner only. Raise InvalidConfig if that fails."""
    text = HEADER + env_file_text({variable.name: variable.value for variable in variables})
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            disk = FileSystem()
            write_all(disk, fd, text.encode())
            disk.sync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise InvalidConfig(
            Problem(code="cannot-write", summary=f"cannot write {shown}: {error.strerror or error}")
        ) from error


def _is_in_repository(path: Path) -> bool:
    return any((folder / ".git").exists() for folder in path.resolve().parents)
