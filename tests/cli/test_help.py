"""The help of each command has examples, which the command line accepts, and fits 80 columns."""

import shlex
from collections.abc import Iterator

import click
import pytest

from reconciler.cli.examples import EXAMPLES
from reconciler.cli.main import SECTIONS, cli


def every_command() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Each command and subcommand, by its path."""
    top = click.Context(cli, info_name="reconciler", help_option_names=["-h", "--help"])
    for name in cli.list_commands(top):
        command = cli.get_command(top, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=top, max_content_width=100, terminal_width=80)
        yield name, command, context
        if isinstance(command, click.Group):
            for inner_name in command.list_commands(context):
                inner = command.get_command(context, inner_name)
                assert inner is not None
                yield (
                    f"{name} {inner_name}",
                    inner,
                    click.Context(inner, info_name=inner_name, parent=context, terminal_width=80),
                )


COMMANDS = {path: (command, context) for path, command, context in every_command()}


def test_every_command_has_an_example() -> None:
    """And no example is of another command."""
    assert set(EXAMPLES) == set(COMMANDS)
    for path, lines in EXAMPLES.items():
        first = "reconciler -C infra init" if path == "init" else f"reconciler {path}"
        assert any(first in line for line in lines), path


@pytest.mark.parametrize("path", COMMANDS)
def test_the_command_line_accepts_the_examples(path: str) -> None:
    """Each option exists, and each value is valid."""
    command, context = COMMANDS[path]
    for line in EXAMPLES[path]:
        typed = line[line.index("reconciler ") :].split(" >", 1)[0].split(")", 1)[0]
        words = shlex.split(typed)[1:]
        words = words[2:] if words[:1] == ["-C"] else words
        assert words[: len(path.split())] == path.split(), line
        arguments = words[len(path.split()) :]
        if isinstance(command, click.Group) and arguments and arguments[0] in command.list_commands(context):
            continue  # the example of a subcommand
        command.make_context(path, arguments, parent=context.parent)


@pytest.mark.parametrize("path", COMMANDS)
def test_the_help_fits_80_columns(path: str) -> None:
    """Except examples, which can be copied."""
    command, context = COMMANDS[path]
    text = command.get_help(context)
    assert "\nExamples:\n" in text
    assert [line for line in text.split("\nExamples:\n")[0].splitlines() if len(line) > 80] == []


def test_the_sections_are_those_of_a_day() -> None:
    """Each description fits one line of 80 columns."""
    assert list(SECTIONS) == ["Plan and apply", "Look", "Change by hand", "Inventory", "CI", "Tools"]
    assert [text for section in SECTIONS.values() for text in section.values() if len(text) > 66] == []
