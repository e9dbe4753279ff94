"""Optional packages: a command that needs them says what to install."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final

import click

PACKAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "server": ("jinja2", "prometheus_client", "starlette", "uvicorn"),
    "mcp": ("mcp",),
}
"""The modules of each extra, which has the name of its part of the program."""


def require_extra(extra: str, command: str) -> None:
    """Raise ClickException if packages of the extra are missing."""
    if missing := [name for name in PACKAGES[extra] if find_spec(name) is None]:
        raise click.ClickException(
            f"{command} needs packages that are not installed ({', '.join(missing)}). Install them with:"
            f" python -m pip install 'novita-reconciler[{extra}]'   (in a checkout: '.[{extra}]')"
        )
