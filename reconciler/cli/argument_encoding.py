"""Checks that arguments, environment variables and paths are valid UTF-8."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import click

_PREFIXES: Final = ("NOVITA_", "RECONCILER_")
_VARIABLE: Final = r"(?s)((?:--env=)?[^-=][^=]*=).*"
"""KEY=VALUE, as the value of `--env` or joined with it."""


def check_arguments(arguments: Iterable[str]) -> None:
    """Raise UsageError for an argument that is not UTF-8; the value of a KEY=VALUE is not shown."""
    for argument in arguments:
        if error := encoding_error(argument):
            match = re.fullmatch(_VARIABLE, argument)
            shown = f"{match[1]}..." if match else argument
            raise click.UsageError(f"the argument '{escaped(shown)}' {error}")


def check_environment(environ: Mapping[str, str]) -> None:
    """Raise UsageError for a variable of reconciler that is not UTF-8; its value is not shown."""
    for name, value in environ.items():
        if name.startswith(_PREFIXES) and (error := encoding_error(value) or encoding_error(name)):
            raise click.UsageError(f"the environment variable {escaped(name)} {error}")


def check_folder(root: Path) -> None:
    """Raise UsageError for a folder whose path is not UTF-8: plans and inventories contain it."""
    path = os.path.realpath(root)
    if error := encoding_error(path):
        raise click.UsageError(f"the path of the folder '{escaped(path)}' {error}")


def encoding_error(text: str) -> str:
    """Return what is wrong with the encoding of a text from the system; "" if nothing is."""
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
    r"""Return the text with each byte that is not UTF-8 as `\xff`."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # a lone surrogate, which no system passes
        return text.encode("utf-8", "backslashreplace").decode()
