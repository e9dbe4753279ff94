"""The options that every command takes, before or after its name."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from reconciler.cli.shell_completion import (
    complete_directories,
    complete_endpoints,
    complete_environments,
    complete_files,
)

F = TypeVar("F", bound=Callable[..., Any])

SECTIONS: Final = ("Options", "Report options", "Shared options")
"""Sections of the help of a command."""


WITHOUT_ENVIRONMENT: Final = frozenset(
    {"completion", "convert", "env", "explain", "init", "pods", "schema", "show", "simulator", "specs"}
    | {"validate", "version"}
)
"""Commands that need no environment."""


WITH_SEVERAL_ENVIRONMENTS: Final = frozenset({"run"})
"""Commands that take several environments."""


class SharedOption(click.Option):
    """An option that every command takes, before or after its name."""

    section: Final = SECTIONS[2]


_SHARED_OPTIONS: Final = (
    click.option(
        "-C",
        "directory",
        cls=SharedOption,
        metavar="DIR",
        shell_complete=complete_directories,
        help="Run as if started in this directory.",
    ),
    click.option(
        "-e",
        "--environment",
        "environment",
        cls=SharedOption,
        metavar="NAME",
        multiple=True,
        shell_complete=complete_environments,
        help="Use this environment of config.yaml, with its files, inventory and account. The environment"
        " variable RECONCILER_ENV does the same.",
    ),
    click.option(
        "-f",
        "files",
        cls=SharedOption,
        metavar="FILE|DIR",
        multiple=True,
        shell_complete=complete_files,
        help="Read endpoints from this file or directory. Repeat the option to layer files: later files"
        " override earlier ones. (default: endpoints.yaml and endpoints/)",
    ),
    click.option(
        "--state",
        cls=SharedOption,
        metavar="PATH|ADDRESS",
        shell_complete=complete_files,
        help="Path or address of the inventory. The environment variable RECONCILER_STATE does the same."
        " (default: state/novita.json)",
    ),
    click.option(
        "--env-file",
        "env_sources",
        cls=SharedOption,
        metavar="FILE",
        multiple=True,
        shell_complete=complete_files,
        help="Read variables for ${env:NAME} from this .env file. Variables of the environment take"
        " precedence.",
    ),
    click.option(
        "--target",
        "targets",
        cls=SharedOption,
        metavar="GLOB",
        multiple=True,
        shell_complete=complete_endpoints,
        help="Limit the command to endpoints whose name matches this pattern.",
    ),
    click.option(
        "--exclude",
        "excludes",
        cls=SharedOption,
        metavar="GLOB",
        multiple=True,
        shell_complete=complete_endpoints,
        help="Leave out endpoints whose name matches this pattern.",
    ),
    click.option(
        "--json",
        "as_json",
        cls=SharedOption,
        is_flag=True,
        default=None,
        help="Write one JSON document to stdout.",
    ),
    click.option(
        "--no-color",
        "no_color",
        cls=SharedOption,
        is_flag=True,
        default=None,
        help="Disable coloured output. The environment variable NO_COLOR does the same; FORCE_COLOR enables"
        " colour without a terminal.",
    ),
    click.option(
        "-v",
        "--verbose",
        "verbose",
        cls=SharedOption,
        is_flag=True,
        default=None,
        help="Log every API call to stderr, and list unmanaged endpoints in plans.",
    ),
)


def shared_options(command: F) -> F:
    """Add the shared options, which a command receives as keyword arguments."""
    return functools.reduce(lambda decorated, option: option(decorated), reversed(_SHARED_OPTIONS), command)


def chosen_environments(ctx: click.Context, given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names after -e. Raise UsageError for several of a command that takes one."""
    chosen = tuple(dict.fromkeys(given.get("environment", ())))
    if "" in chosen:
        raise click.UsageError("-e '': the name of an environment is missing", ctx)
    if len(chosen) > 1 and ctx.command_path.split()[1] not in WITH_SEVERAL_ENVIRONMENTS:
        raise click.UsageError(f"-e names {len(chosen)} environments: {', '.join(chosen)}; give one", ctx)
    return chosen
