"""The command `reconciler completion`."""

from __future__ import annotations

import click

from reconciler.cli.shell_completion import completion_script


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    The script completes commands, options, and the names of endpoints and specs. To install it:

    \b
      bash  eval "$(reconciler completion bash)"   as a line of ~/.bashrc
      zsh   eval "$(reconciler completion zsh)"    as a line of ~/.zshrc, after compinit
      fish  reconciler completion fish > ~/.config/fish/completions/reconciler.fish
    """
    click.echo(completion_script(ctx.find_root().command, shell), nl=False)
