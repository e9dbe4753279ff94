"""Optional packages: a command that needs them says what to install."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final

import click

PACKAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "server": ("jinja2", "prometheus_client", "starlette", "uvicorn"),
    "mcp": ("mcp",),
    "notify": ("apprise",),
    "object-store": ("obstore",),
    "otel": ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"),
    "postgres": ("psycopg_binary",),
}
"""The modules of each extra, which has the name of its part of the program."""


def missing_packages(extra: str) -> list[str]:
    """Return the modules of the extra that are not installed."""
    return [name for name in PACKAGES[extra] if not _is_installed(name)]


def require_extra(extra: str, command: str) -> None:
    """Raise ClickException if packages of the extra are missing."""
    if missing := missing_packages(extra):
        raise click.ClickException(
            f"{command} needs packages that are not installed ({', '.join(missing)}). Install them with:"
            f" python -m pip install 'novita-reconciler[{extra}]'   (in a checkout: '.[{extra}]')"
        )


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even its parent is there
        return False
