"""Whether what the shell handed over is text: names of files and endpoints are, to everybody we speak to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import click

_OURS: Final = ("NOVITA_", "RECONCILER_")
_VARIABLE: Final = re.compile(r"((?:--env=)?[^-=][^=]*=).*", re.DOTALL)
"""KEY=VALUE, as it stands behind `--env` or is joined to it."""


def check_arguments(arguments: Iterable[str]) -> None:
    """Raises UsageError for an argument that is not UTF-8. The value of a variable in it may be a secret."""
    for argument in arguments:
        if why := fault(argument):
            found = _VARIABLE.fullmatch(argument)
            shown = f"{found[1]}..." if found else argument
            raise click.UsageError(f"the argument '{escaped(shown)}' {why}")


def check_environment(environ: Mapping[str, str]) -> None:
    """Raises UsageError for one of our variables that is not UTF-8. Its value may be a secret."""
    for name, value in environ.items():
        if name.startswith(_OURS) and (why := fault(value) or fault(name)):
            raise click.UsageError(f"the environment variable {escaped(name)} {why}")


def check_folder(root: Path) -> None:
    """Raises UsageError for a folder whose path is not UTF-8: plans and inventories note where they are."""
    path = os.path.realpath(root)
    if why := fault(path):
        raise click.UsageError(f"the path of the folder '{escaped(path)}' {why}")


def fault(text: str) -> str:
    """What is wrong with text that came from the system; "" where nothing is."""
    if text.isascii():
        return ""
    try:
        text.encode()
    except UnicodeEncodeError:
        pass
    else:
        return ""
    try:
        os.fsencode(text).decode()
    except UnicodeError:
        return "contains bytes that are not UTF-8"
    return "is UTF-8, which the locale does not support: set LC_ALL=C.UTF-8"


def escaped(text: str) -> str:
    r"""The text with each byte that is none of UTF-8 as `\xff`."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a character, which no system hands over
        return text.encode("utf-8", "backslashreplace").decode()
