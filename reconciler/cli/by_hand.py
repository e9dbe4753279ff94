"""What the commands share that change one endpoint by hand."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import choices
from reconciler.cli.options import Run

if TYPE_CHECKING:
    from reconciler.model.allowances import Allowances
    from reconciler.workflow.context import Context

_HOURS = {"m": 1 / 60, "h": 1, "d": 24}


def approval(*, waits: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options of approval, of the lock, and of waiting until it serves."""

    def given(command: Callable[..., Any]) -> Callable[..., Any]:
        options = (choices.auto_approve, choices.lock_timeout, *([choices.wait] if waits else []))
        return functools.reduce(lambda found, option: option(found), reversed(options), command)

    return given


def context_of(run: Run, lock_timeout: float, allow: Allowances | None = None) -> Context:
    """The run of a command about NAME alone."""
    if not run.context.selection.is_everything:
        raise click.UsageError("this is about NAME alone; it takes no --target and no --exclude")
    context = replace(run.context, lock_timeout=lock_timeout)
    return replace(context, allow=allow) if allow else context


def duration(text: str) -> timedelta:
    """How long a lease runs: minutes, hours or days (90m, 6h, 2d)."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", text)
    if found is None:
        raise click.BadParameter(f"'{text}' is no duration; write 90m, 6h or 2d")
    return timedelta(hours=int(found[1]) * _HOURS[found[2]])


def environment(pairs: Iterable[str], files: Iterable[str], root: Path) -> dict[str, str] | None:
    """The variables of --env-file and --env, the later one winning; None where neither was given."""
    lines = [(line, file) for file in files for line in _lines(root / file, file)]
    found: dict[str, str] = {}
    for text, where in (*lines, *((pair, "--env") for pair in pairs)):
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise click.UsageError(f"{where}: a variable is written KEY=VALUE")  # its text may be a secret
        found[key.strip()] = value
    return found if found or tuple(pairs) or tuple(files) else None


def _lines(path: Path, shown: str) -> list[str]:
    """As docker reads them: KEY=VALUE, all after the sign is the value; blank lines and # lines are none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise click.UsageError(f"--env-file {shown} cannot be read: {why}") from error
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


ENVIRONMENT = (
    click.option(
        "--env", "env", metavar="KEY=VALUE", multiple=True, help="A variable; literal, and kept secret."
    ),
    click.option(
        "--env-file", "env_files", metavar="FILE", multiple=True, help="Variables, one KEY=VALUE a line."
    ),
)


def with_environment(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --env and --env-file."""
    return functools.reduce(lambda found, option: option(found), reversed(ENVIRONMENT), command)
