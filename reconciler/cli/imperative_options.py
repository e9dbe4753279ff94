"""Options of the imperative commands, which change one endpoint without the configuration."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import options
from reconciler.cli.change_options import message_option
from reconciler.cli.options import Run, variables_of
from reconciler.cli.shell_completion import complete_files

if TYPE_CHECKING:
    from reconciler.workflow.runtime.context import Context

_NAME = re.compile(r"[A-Z][A-Z_]*")
"""Looks like the name of a variable, rather than like a value that may be secret."""

_HOURS = {"m": 1 / 60, "h": 1, "d": 24}
"""Unit -> hours."""


def approval(*, waits: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds the options for approval and the lock, and --wait if `waits`."""

    given = [options.auto_approve, message_option, options.other_account, options.lock_timeout]
    if waits:
        given.append(options.wait)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        return functools.reduce(lambda decorated, option: option(decorated), reversed(given), command)

    return decorate


def context_of(run: Run, lock_timeout: float, message: str = "", **allowed: Any) -> Context:
    """Return the context of a command for one endpoint; `allowed` are fields of `Allowances`.

    Raises UsageError if --target or --exclude was given.
    """
    from reconciler.model.settings import Allowances

    if not run.context.selection.is_everything:
        raise click.UsageError("this command takes the NAME of one endpoint, not --target and --exclude")
    return replace(run.context, lock_timeout=lock_timeout, message=message, allow=Allowances(**allowed))


def lease_duration(text: str) -> timedelta:
    """Return the duration of a lease, given in minutes, hours or days (90m, 6h, 2d)."""
    match = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", text)
    if match is None:
        raise click.BadParameter(f"'{text}' is not a valid duration; use 90m, 6h or 2d")
    return timedelta(hours=int(match[1]) * _HOURS[match[2]])


def environment(assignments: Sequence[str], files: Sequence[str], context: Context) -> dict[str, str] | None:
    """Return the variables of --env-file and --env, of which later ones win; None if there are none.

    A KEY without a value takes its value from the environment.
    """
    if not assignments and not files:
        return None
    variables = variables_of(context.root, tuple(map(Path, files)))
    for text in assignments:
        key, sign, value = text.partition("=")
        variables[key.strip()] = value if sign and key.strip() else _from_environment(text, context)
    return variables


def _from_environment(key: str, context: Context) -> str:
    value = context.resolver().variable(key)
    if value is None:
        # a text that may be the secret itself is not shown
        name = key if _NAME.fullmatch(key) else "KEY"
        raise click.UsageError(
            f"--env {name}: the environment variable is unset or empty; export it,"
            f" or use --env {name}= for an empty value"
        )
    return value


def prewarm_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --prewarm and --prewarm-timeout to a command."""
    prewarm = click.option(
        "--prewarm",
        is_flag=True,
        help="Warm a new image in its region first, as `prewarm: true` of a declared endpoint does.",
    )
    return prewarm(options.prewarm_timeout(command))


ENVIRONMENT = (
    click.option(
        "--env",
        "env",
        metavar="KEY[=VALUE]",
        multiple=True,
        help="Set an environment variable, literally and as a secret. VALUE can be read in the list of"
        " processes while the command runs; KEY alone takes it from the environment.",
    ),
    click.option(
        "--env-file",
        "env_files",
        metavar="FILE",
        multiple=True,
        shell_complete=complete_files,
        help="Set the variables of this .env file, literally and as secrets.",
    ),
)


def with_environment_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --env and --env-file to a command; this --env-file replaces the shared option."""
    shared = command.__click_params__  # type: ignore[attr-defined]
    shared[:] = [option for option in shared if "--env-file" not in option.opts]
    return functools.reduce(lambda decorated, option: option(decorated), reversed(ENVIRONMENT), command)
