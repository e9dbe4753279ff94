"""The command `reconciler completion`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command
from reconciler.cli.shell_completion import completion_script


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    The script completes commands, options, and the names of endpoints and specs. To install it, add the
    example to ~/.bashrc, or to ~/.zshrc after compinit; for fish, write the script to a file.
    """
    click.echo(completion_script(ctx.find_root().command, shell), nl=False)
