"""What the commands share that change one endpoint by hand."""

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
from reconciler.cli.options import Run, variables_of
from reconciler.cli.shell_completion import a_file

if TYPE_CHECKING:
    from reconciler.workflow.runtime.context import Context

_NAME = re.compile(r"[A-Z][A-Z_]*")
"""What looks like the name of a variable, and not like the value of one."""

_HOURS = {"m": 1 / 60, "h": 1, "d": 24}


def approval(*, waits: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options of approval, of the lock, and of waiting until it serves."""

    given = [options.auto_approve, options.other_account, options.lock_timeout]
    if waits:
        given.append(options.wait)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        return functools.reduce(lambda decorated, option: option(decorated), reversed(given), command)

    return decorate


def context_of(run: Run, lock_timeout: float, **allowed: bool) -> Context:
    """The run of a command about NAME alone; `allowed` are fields of `Allowances`."""
    from reconciler.model.settings import Allowances

    if not run.context.selection.is_everything:
        raise click.UsageError("this is about NAME alone; it takes no --target and no --exclude")
    return replace(run.context, lock_timeout=lock_timeout, allow=Allowances(**allowed))


def duration(text: str) -> timedelta:
    """How long a lease runs: minutes, hours or days (90m, 6h, 2d)."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", text)
    if found is None:
        raise click.BadParameter(f"'{text}' is no duration; write 90m, 6h or 2d")
    return timedelta(hours=int(found[1]) * _HOURS[found[2]])


def environment(given: Sequence[str], files: Sequence[str], context: Context) -> dict[str, str] | None:
    """The variables of --env-file and --env, the later one winning; None where neither was given.

    Of a KEY without a value the environment of this run says it.
    """
    if not given and not files:
        return None
    found = variables_of(context.root, tuple(map(Path, files)))
    for text in given:
        key, sign, value = text.partition("=")
        found[key.strip()] = value if sign and key.strip() else _from_environment(text, context)
    return found


def _from_environment(key: str, context: Context) -> str:
    value = context.resolver().variable(key)
    if value is None:
        # a text that may be the secret itself is not repeated
        name = key if _NAME.fullmatch(key) else "KEY"
        raise click.UsageError(
            f"--env {name}: no such variable is set here, or it is empty; export it,"
            f" or write --env {name}= for an empty one"
        )
    return value


ENVIRONMENT = (
    click.option(
        "--env",
        "env",
        metavar="KEY[=VALUE]",
        multiple=True,
        help="A variable, literal and kept secret. KEY alone takes it from the environment: a VALUE can be"
        " read in the list of processes.",
    ),
    click.option(
        "--env-file",
        "env_files",
        metavar="FILE",
        multiple=True,
        shell_complete=a_file,
        help="Variables of a .env file, literal and kept secret.",
    ),
)


def with_environment(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --env and --env-file, the latter in the place of the shared one."""
    shared = command.__click_params__  # type: ignore[attr-defined]
    shared[:] = [option for option in shared if "--env-file" not in option.opts]
    return functools.reduce(lambda found, option: option(found), reversed(ENVIRONMENT), command)
