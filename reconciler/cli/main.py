"""The command `reconciler`: finds the subcommand, and turns every ending into an exit code.

Subcommands are imported when they are called, so that `--help` and `--version` cost little.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from reconciler import __version__
from reconciler.cli.argument_encoding import check_arguments
from reconciler.cli.options import shared_options
from reconciler.cli.shell_completion import VARIABLE, answer, commands
from reconciler.model.problem import ExitCode

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS: Final[Mapping[str, str]] = {
    "init": "Write a commented endpoints.yaml and specs.yaml to start from.",
    "validate": "Check the files, without a network or a key.",
    "plan": "Show what apply would change.",
    "preview": "Print the exact requests that apply would send.",
    "apply": "Make the account match the files.",
    "destroy": "Delete every endpoint that the inventory records.",
    "drift": "Tell whether somebody touched the account; accept it, or revert it.",
    "recover": "Settle creates whose answer was lost.",
    "import": "Record endpoints that were made elsewhere.",
    "history": "The versions that were applied.",
    "rollback": "Bring one endpoint back to an applied version.",
    "deploy": "Make one endpoint, without the YAML.",
    "update": "Change the image, the workers, the env or the timeout of one endpoint.",
    "scale": "Set the worker counts of one endpoint, for good or for a time.",
    "delete": "Delete one endpoint.",
    "state": "Look at the inventory, or mend it.",
    "list": "Every endpoint of the account, with whose it is.",
    "get": "One endpoint with its workers.",
    "status": "How the endpoints do.",
    "watch": "Tell what happens to the endpoints as it happens.",
    "logs": "Where to find logs.",
    "pods": "Where to find workers.",
    "pvcs": "Where to find storage.",
    "specs": "The GPU specs of specs.yaml.",
    "schema": "Print a JSON Schema, for editors.",
    "doctor": "Check files, key, account and inventory, each with the way out.",
    "simulator": "Serve a simulated Novita on this machine.",
    "completion": "Print the completion script of a shell.",
}


UNSUPPORTED: Final = frozenset({"logs", "pods", "pvcs"})
"""Commands that Novita's API does not support; they share one module."""


class LazyGroup(click.Group):
    """A group whose commands are modules of `cli.commands`, imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        module = "unsupported" if cmd_name in UNSUPPORTED else name
        found = getattr(importlib.import_module(f"reconciler.cli.commands.{module}"), name)
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS and not ctx.resilient_parsing:
            from reconciler.model.text import closest_match

            close = closest_match(name, COMMANDS)
            hint = f" Did you mean '{close}'?" if close else ""
            raise click.UsageError(f"No such command '{name}'.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*commands(COMMANDS.items(), incomplete), *options]


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Options shared by the commands may stand before or after the command.",
)
@click.version_option(__version__, prog_name="reconciler", message="%(prog)s %(version)s")
@shared_options
@click.pass_context
def cli(ctx: click.Context, /, **shared: Any) -> None:
    """Declare Novita AI Serverless endpoints in YAML; plan, apply and guard them."""
    ctx.obj = shared


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its code."""
    # What a command makes it keeps to its end; looking for garbage took a tenth of a plan of 10,000.
    gc.set_threshold(100_000, 20, 20)
    arguments = list(sys.argv[1:] if args is None else args)
    _prepare_streams()
    if question := os.environ.get(VARIABLE):
        sys.exit(answer(cli, question))
    try:
        code = run(arguments)
        sys.stdout.flush()
    except OSError as error:
        code = _unwritable(error)
    with suppress(OSError):
        sys.stderr.flush()
    # The system takes back at once what the interpreter would take apart, a twentieth of the time of a plan.
    os._exit(code)


def _prepare_streams() -> None:
    """What was closed before we began (`>&-`) is None to Python, and /dev/null to us.

    What a stream cannot hold is escaped, and what it cannot read is replaced: neither ends a run.
    """
    for name, mode, errors in (
        ("stdin", "r", "replace"),
        ("stdout", "w", "backslashreplace"),
        ("stderr", "w", "backslashreplace"),
    ):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - for the whole process
        else:
            stream.reconfigure(errors=errors)


def _unwritable(error: OSError) -> int:
    """A stream takes no more. Silence where a reader has seen enough, a word where a disk is full."""
    if not isinstance(error, BrokenPipeError):
        with suppress(OSError):
            click.echo(f"Error: cannot write the output: {error.strerror or error}", err=True)
    return ExitCode.ERROR


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    try:
        check_arguments(arguments)
        result = cli.main(args=arguments, prog_name="reconciler", standalone_mode=False)
    except OSError as error:
        if error.filename is None:
            raise  # of a stream: files and sockets are told of where they are used
        return _failed(error, arguments)
    except (Exception, KeyboardInterrupt) as error:
        return _failed(error, arguments)
    return result if isinstance(result, int) else ExitCode.OK


def _failed(error: BaseException, arguments: list[str]) -> int:
    """Say what ended the run, and return its exit code."""
    from reconciler.cli.errors import ending
    from reconciler.cli.output import fail

    problems, code = ending(error)
    if problems[0].code == "internal-error" and {"-v", "--verbose"} & set(arguments):
        from reconciler.cli.errors import trace
        from reconciler.reports.terminal.escape import plain_lines

        sys.stderr.write(plain_lines(trace(error, os.environ)))
    if _wants_json(arguments):
        fail(problems, code, as_json=True)
    elif isinstance(error, click.ClickException):
        _show(error)
    elif code == ExitCode.INTERRUPTED:
        click.echo("\nInterrupted.", err=True)
    else:
        fail(problems, code, colour=_wants_colour(arguments))
    return code


def _show(error: click.ClickException) -> None:
    """Click's words, which quote what was typed."""
    from io import StringIO

    from reconciler.reports.terminal.escape import for_terminal

    said = StringIO()
    error.show(said)
    click.echo(for_terminal(said.getvalue()), err=True, nl=False)


def _wants_json(arguments: list[str]) -> bool:
    return "--json" in arguments


def _wants_colour(arguments: list[str]) -> bool:
    from reconciler.cli.output import is_coloured

    return is_coloured(sys.stderr, no_color="--no-color" in arguments)
