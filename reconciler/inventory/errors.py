"""The problems of the inventory's files, each with a hint how to recover."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from reconciler.inventory.files import NotRegularFile, companion
from reconciler.model.command import Operand, command_line
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Place, Problem

REBUILD = "reconciler state rebuild"


def recovery_hint(label: str) -> str:
    """Return how to get a readable map again. The backup is only offered, as it may be out of date."""
    rebuild = f"`{REBUILD}` makes a new map from the live account"
    path = Path(label)
    backup = companion(path, ".backup")
    if not backup.is_file():
        return f"{rebuild}; the endpoints themselves are not touched"
    restore = command_line("cp", Operand(backup), Operand(path))
    return f"Restore the previous map with `{restore}`, or start over: {rebuild}"


def invalid_map(
    label: str, code: str, summary: str, *, detail: str = "", hint: str = "", place: Place | None = None
) -> Problem:
    """Return a problem of the map's content. Its hint always ends in `recovery_hint`."""
    hint = f"{hint}. {recovery_hint(label)}" if hint else recovery_hint(label)
    return Problem(code=code, summary=summary, detail=detail, hint=hint, place=place)


def system_message(error: OSError) -> str:
    """Return the message of the operating system, such as `No space left on device`."""
    return error.strerror or str(error) or type(error).__name__


@contextmanager
def read_errors(path: Path) -> Iterator[None]:
    """Turn an OSError during a read of the map or a companion into an InventoryError that names the file."""
    try:
        yield
    except IsADirectoryError as error:
        file = Path(error.filename or path)
        move = command_line("mv", Operand(file), Operand(companion(file, ".old")))
        raise InventoryError(
            Problem(
                code="inventory-unreadable",
                summary=f"{file} is a directory, not a file of the inventory",
                hint="Name a file with `--state PATH`, such as `--state state/novita.json`"
                if file == path
                else f"It belongs to the inventory {path}; move it away with `{move}`",
            )
        ) from error
    except NotRegularFile as error:
        raise InventoryError(_not_regular(error)) from error
    except OSError as error:
        raise InventoryError(
            Problem(
                code="inventory-unreadable",
                summary=f"Cannot read {error.filename or path}: {system_message(error)}",
                hint=f"Check who owns it with `{command_line('ls', '-l', Operand(path))}`,"
                " or name another file with `--state PATH`",
            )
        ) from error


@contextmanager
def write_errors(path: Path, *, saved: str = "The file is intact, and no record is lost") -> Iterator[None]:
    """Turn an OSError during a write into an InventoryError that names the file and says what is `saved`."""
    try:
        yield
    except OSError as error:
        raise InventoryError(unwritable(path, error, saved)) from error


def saying_saved(error: InventoryError, saved: str) -> InventoryError:
    """Return the error of a store with a sentence that says what is saved all the same."""
    return InventoryError(
        *(
            replace(problem, detail=f"{problem.detail}\n{saved}." if problem.detail else f"{saved}.")
            for problem in error.problems
        )
    )


def _not_regular(error: NotRegularFile) -> Problem:
    file = str(error.filename)
    return Problem(
        code="inventory-not-ordinary",
        summary=f"{file} is not used: {error.strerror}",
        detail="Such a file could redirect a write to another place.",
        hint=f"See what it is with `{command_line('ls', '-l', file)}`, "
        f"and remove it with `{command_line('rm', file)}`",
    )


def unwritable(path: Path, error: OSError, saved: str) -> Problem:
    if isinstance(error, NotRegularFile):
        return _not_regular(error)
    return Problem(
        code="inventory-unwritable",
        summary=f"Cannot write {path}: {system_message(error)}",
        detail=f"{saved}." if saved else "",
        hint=f"Make room, or let {_user()} write in {path.parent}, and run the command again",
    )


def _user() -> str:
    return f"uid {os.getuid()}" if hasattr(os, "getuid") else "this user"
