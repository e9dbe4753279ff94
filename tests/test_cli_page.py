"""docs/cli.md is what the commands say of themselves; `make docs` writes it anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from textwrap import dedent

import click
import pytest

from reconciler.cli.main import COMMANDS, cli
from reconciler.cli.options import shared_options

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"

HEAD = """\
# Commands

Written by `make docs` from what the commands say of themselves. Every command also takes the shared options,
before or after its name; the exit codes are in the [README](../README.md#exit-codes).

"""


@shared_options
def _shared(**_: object) -> None: ...


SHARED = {parameter.name for parameter in _shared.__click_params__}  # type: ignore[attr-defined]


def page() -> str:
    """The whole page."""
    context = click.Context(cli, info_name="reconciler")
    parts = [HEAD, "## Shared options\n\n", *_options(cli, context, shared=True)]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        parts += _section(command, click.Context(command, info_name=name, parent=context), "##")
    return "".join(parts).rstrip() + "\n"


def _section(command: click.Command, context: click.Context, level: str) -> Iterator[str]:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"\n{level} {context.command_path.removeprefix('reconciler ')}\n\n```text\n{usage}\n```\n\n"
    yield _flowing(command.help or "") + "\n\n"
    yield from _options(command, context, shared=False)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _section(inner, click.Context(inner, info_name=name, parent=context), "###")


def _options(command: click.Command, context: click.Context, *, shared: bool) -> Iterator[str]:
    hidden = SHARED if {parameter.name for parameter in command.params} >= SHARED else set()
    rows = [
        record
        for parameter in command.params
        if isinstance(parameter, click.Option)
        and (parameter.name in hidden) == shared
        and (record := parameter.get_help_record(context)) is not None
    ]
    if rows:
        yield "| option | does |\n|---|---|\n"
        for names, text in rows:
            yield f"| `{_cell(names)}` | {_cell(text)} |\n"


def _flowing(text: str) -> str:
    """The paragraphs, each on one line; those that click leaves as they are, in a block."""
    parts = re.split(r"\n\s*\n", cleandoc(text))
    return "\n\n".join(
        f"```text\n{dedent(part[1:]).strip()}\n```" if part.startswith("\b") else " ".join(part.split())
        for part in parts
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def test_the_page_is_what_the_commands_say(pytestconfig: pytest.Config) -> None:
    """An option that is added, renamed or explained otherwise is in the page as well."""
    if pytestconfig.getoption("--update-golden"):
        PAGE.write_text(page(), encoding="utf-8")
    assert page() == PAGE.read_text(encoding="utf-8")


def test_every_option_says_what_it_does() -> None:
    """A page of bare names would help nobody."""
    assert re.findall(r"^\| `[^`]*` \| +\|$", page(), re.MULTILINE) == []
