"""The option `--message` of the commands that change endpoints."""

from __future__ import annotations

from typing import Final

import click

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
