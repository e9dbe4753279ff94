"""Options of commands that change endpoints: `--message`, `--replace`, `--no-replace`, `--no-disruption`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import click

from reconciler.cli.shell_completion import complete_endpoints

MAX_MESSAGE: Final = 500
"""Characters of a message."""


def _message(_ctx: click.Context, _param: click.Parameter, text: str | None) -> str:
    if text and not (text.isprintable() and len(text) <= MAX_MESSAGE):
        raise click.BadParameter(f"a message is one line of at most {MAX_MESSAGE} characters")
    return (text or "").strip()


message_option: Final = click.option(
    "-m",
    "--message",
    metavar="TEXT",
    callback=_message,
    help="Note for the history: why the change is made.",
)


_EXCLUDED: Final = ("no_replace", "no_delete", "no_disruption")


def replacement_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command. Their parameters have the names of the fields of `Allowances`."""
    given = (
        click.option(
            "--replace",
            "replaced",
            metavar="NAME",
            multiple=True,
            shell_complete=complete_endpoints,
            help="Replace this endpoint even if nothing requires it: it is deleted and created again.",
        ),
        click.option(
            "--no-replace",
            is_flag=True,
            help="Refuse a plan that would replace an endpoint, which changes its ID and its URL.",
        ),
        click.option(
            "--preflight",
            is_flag=True,
            help="Show checks of products, stock, images and balance, and refuse a plan if one fails.",
        ),
        click.option(
            "--no-disruption",
            is_flag=True,
            help="Refuse a plan that may restart running workers, or that replaces or deletes an endpoint.",
        ),
    )

    @functools.wraps(command)
    def checked(*arguments: Any, **named: Any) -> Any:
        if named["replaced"] and any(named[name] for name in _EXCLUDED):
            raise click.UsageError(
                "--replace cannot be combined with --no-replace, --no-delete or --no-disruption"
            )
        return command(*arguments, **named)

    return functools.reduce(lambda decorated, option: option(decorated), reversed(given), checked)
