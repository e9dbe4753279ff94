"""Problems and exit codes of failed runs."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Final

import click

from reconciler.model.errors import ReconcilerError, defect
from reconciler.model.problem import ExitCode, Problem

_SHOWN: Final = 80
"""Maximum number of shown characters of a path."""


def problems_of(error: BaseException) -> tuple[tuple[Problem, ...], int]:
    """Return the problems and the exit code for an error that ended a run, also for a bug."""
    match error:
        case ReconcilerError():
            return tuple(error.problems), error.command_exit_code
        case click.ClickException():
            is_usage = isinstance(error, click.UsageError)
            code = ExitCode.USAGE if is_usage else ExitCode.ERROR
            name = "usage" if is_usage else "error"
            return (Problem(code=name, summary=error.format_message(), exit_code=code),), int(code)
        case KeyboardInterrupt() | click.Abort():
            code = ExitCode.INTERRUPTED
            return (Problem(code="interrupted", summary="interrupted", exit_code=code),), int(code)
        case OSError(filename=str(path)):
            return (_unusable(path, error),), int(ExitCode.ERROR)
        case _:
            return (defect(error),), int(ExitCode.ERROR)


def masked_traceback(error: BaseException, environ: Mapping[str, str]) -> str:
    """Return the traceback of a bug, with the values of variables that are named like secrets masked."""
    from reconciler.config.references.disclosure import is_secret_name
    from reconciler.novita.http.masking import Secrets

    secrets = Secrets(value for name, value in environ.items() if is_secret_name(name))
    return secrets.masked("".join(traceback.format_exception(error)))


def _unusable(path: str, error: OSError) -> Problem:
    """Return the problem for a path that the system rejects, such as one that is too long."""
    shown = path if len(path) <= _SHOWN else f"{path[:_SHOWN]}..."
    return Problem(
        code="unusable-path",
        summary=f"cannot use {shown}: {(error.strerror or type(error).__name__).lower()}",
        hint="check the path and its permissions",
    )
