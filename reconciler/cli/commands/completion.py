"""The command `reconciler completion`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reconciler.cli.options import Command
from reconciler.cli.shell_completion import completion_script, install_script
from reconciler.model.command import command_line

SHELLS = ("bash", "zsh", "fish")


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.option("--install", is_flag=True, help="Install the script for all new shells of this user.")
@click.pass_context
def completion(ctx: click.Context, shell: str | None, install: bool) -> None:
    """Print the completion script of a shell, or install it.

    The script completes commands, options, and the names of endpoints and specs. Without SHELL it is for the
    shell of $SHELL. `--install` writes the script below ~/.local/share, and one line that reads it at the end
    of ~/.bashrc or ~/.zshrc; fish reads ~/.config/fish/completions.
    """
    shell = shell or _own_shell()
    command = ctx.find_root().command
    if not install:
        click.echo(completion_script(command, shell), nl=False)
        return
    try:
        script, start = install_script(command, shell, os.environ)
    except OSError as problem:
        raise click.ClickException(
            f"cannot write {problem.filename}: {problem.strerror or problem}. Print the script instead: "
            + command_line("reconciler", "completion", shell)
        ) from None
    click.echo(
        f"Wrote {script}{f', which {start} reads' if start else ''}. A new {shell} completes reconciler."
    )


def _own_shell() -> str:
    name = Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        raise click.UsageError(f"the shell is not known: name one of {', '.join(SHELLS)}")
    return name
