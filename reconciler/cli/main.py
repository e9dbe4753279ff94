"""The entry point of `reconciler`: runs a command, and turns its result or its error into an exit code.

A command is imported when it is called, which keeps `--help` and `--version` fast.
"""

from __future__ import annotations

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
from reconciler.cli.options import ARGUMENTS, Group, write_options
from reconciler.cli.shared_options import SECTIONS as TITLES
from reconciler.cli.shared_options import shared_options
from reconciler.cli.shell_completion import VARIABLE, complete, complete_commands
from reconciler.model.problem import ExitCode

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SECTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "Plan and apply": {
        "init": "Create commented files to start from.",
        "validate": "Check the configuration files offline.",
        "plan": "Show the changes that apply would make.",
        "show": "Show a saved plan.",
        "apply": "Create, update or delete endpoints to match the configuration.",
        "destroy": "Delete all endpoints recorded in the inventory.",
        "drift": "Detect, accept or revert changes made outside of reconciler.",
        "preview": "Show the exact API requests that apply would send.",
        "graph": "Show which resources refer to which.",
    },
    "Look": {
        "output": "Print the URLs of endpoints.",
        "list": "List all endpoints of the account.",
        "get": "Show the details of an endpoint.",
        "status": "Show the status of endpoints.",
        "cost": "Show what runs now and what it costs.",
        "watch": "Watch endpoints for changes.",
        "history": "Show the applied versions of each endpoint.",
        "call": "Send a request to the URL of an endpoint.",
        "probe": "Send the declared probes of endpoints.",
        "open": "Open the URL of an endpoint in the browser.",
        "logs": "Print the addresses of the logs of an endpoint.",
        "specs": "Show the GPU specs of specs.yaml.",
        "pods": "Show where to see workers.",
        "pvcs": "List the network storages of the account.",
    },
    "Change by hand": {
        "deploy": "Create an endpoint.",
        "update": "Change the image, workers, env or timeout of an endpoint.",
        "scale": "Set the number of workers of an endpoint, also for a limited time.",
        "restart": "Replace an endpoint by an equal one, with new workers.",
        "rollback": "Restore an earlier applied version of an endpoint.",
        "delete": "Delete an endpoint.",
    },
    "Inventory": {
        "import": "Record existing endpoints, and write their YAML.",
        "recover": "Resolve creates whose response was lost.",
        "state": "Inspect or repair the inventory.",
    },
    "CI": {
        "env": "List and compare the environments of config.yaml.",
        "pin": "Write the digests of image tags into the YAML.",
        "doctor": "Check the setup and suggest fixes.",
        "approve": "Approve a plan that an assistant proposed.",
    },
    "Tools": {
        "convert": "Convert files of other tools to YAML.",
        "explain": "Explain a field of the YAML files.",
        "schema": "Print a JSON Schema for editors.",
        "run": "Reconcile all the time: plan on time and on change, and apply.",
        "serve": "Serve the HTTP API and the web page.",
        "mcp": "Serve the endpoints to an AI assistant, over stdin and stdout.",
        "simulator": "Run a simulated Novita API on this machine.",
        "completion": "Print a shell completion script.",
        "version": "Print the version of reconciler.",
    },
}
"""Section of the help -> command -> its description in one line."""

COMMANDS: Final[Mapping[str, str]] = {
    name: text for section in SECTIONS.values() for name, text in section.items()
}

UNSUPPORTED: Final = frozenset({"pods"})
"""Commands that Novita's API does not support."""


class LazyGroup(Group):
    """A group whose commands are modules of `cli.commands`; each is imported when its command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        module = "unsupported" if cmd_name in UNSUPPORTED else name
        command = getattr(importlib.import_module(f"reconciler.cli.commands.{module}"), name)
        assert isinstance(command, click.Command)
        return command

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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Accept the commands `help [COMMAND]` and `help options`, as Terraform and kubectl do."""
        ctx.meta[ARGUMENTS] = tuple(args)
        if "help" in args:
            _, words, _ = self.make_parser(ctx).parse_args(list(args))
            if words == ["help", "options"]:
                _show_shared_options(self, ctx)
            if words[:1] == ["help"]:
                args = [*args[: len(args) - len(words)], *words[1:], "--help"]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, COMMANDS))
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, text in section.items()])
        write_options(self, ctx, formatter, TITLES)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*complete_commands(COMMANDS.items(), incomplete), *options]


def _show_shared_options(group: click.Command, ctx: click.Context) -> NoReturn:
    """Print the page `reconciler help options`."""
    formatter = ctx.make_formatter()
    formatter.write_text("Options that every command takes, before or after its name.")
    write_options(group, ctx, formatter, TITLES[2:])
    click.echo(formatter.getvalue().rstrip("\n"))
    ctx.exit()


EPILOG: Final = """\
\b
Examples:
  reconciler init
  reconciler plan --out prod.plan
  reconciler apply prod.plan
  reconciler drift accept chat

Run `reconciler COMMAND --help` for the options of a command."""


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="reconciler", message="%(prog)s %(version)s")
@shared_options
@click.pass_context
def cli(ctx: click.Context, /, **shared: Any) -> None:
    """Manage Novita AI Serverless GPU endpoints from YAML files.

    Run `init`, `plan` and `apply` in this order to create your first endpoint.
    """
    ctx.obj = shared


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its code."""
    arguments = list(sys.argv[1:] if args is None else args)
    _prepare_streams()
    if question := os.environ.get(VARIABLE):
        sys.exit(complete(cli, question))
    try:
        code = run(arguments)
        sys.stdout.flush()
    except OSError as error:
        code = _unwritable(error)
    with suppress(OSError):
        sys.stderr.flush()
    # The system frees the memory at once. The interpreter would need a twentieth of a plan for it.
    os._exit(code)


def _prepare_streams() -> None:
    """Open closed streams (`>&-`), which Python sets to None, as /dev/null.

    Characters that a stream cannot encode are escaped, and bytes that it cannot decode are replaced.
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
    """Report an error that names no file, unless a reader has closed the pipe; return the exit code.

    It is one of stdout or stderr, or the current folder was removed.
    """
    if not isinstance(error, BrokenPipeError):
        what = f"cannot write the output: {error.strerror or error}"
        if isinstance(error, FileNotFoundError):
            what = "the current folder does not exist any more; change to one that exists"
        with suppress(OSError):
            click.echo(f"Error: {what}", err=True)
    return ExitCode.ERROR


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    try:
        check_arguments(arguments)
        result = cli.main(args=arguments, prog_name="reconciler", standalone_mode=False)
    except OSError as error:
        if error.filename is None:
            raise  # an error of stdout or stderr; errors of files and sockets name a file
        return _failed(error, arguments)
    except (Exception, KeyboardInterrupt) as error:
        return _failed(error, arguments)
    return result if isinstance(result, int) else ExitCode.OK


def _with_suggestion(error: click.NoSuchOption, arguments: Sequence[str]) -> click.UsageError:
    """Return the error for a long option with a single dash, such as Terraform's `-auto-approve`."""
    known = {name for option in error.ctx.command.params for name in option.opts} if error.ctx else set()
    for argument in arguments:
        name = argument.partition("=")[0]
        if name.startswith(error.option_name) and f"-{name}" in known:
            return click.UsageError(f"No such option '{name}'. Did you mean '-{name}'?", error.ctx)
    return error


def _mask_values(error: click.UsageError, arguments: Sequence[str]) -> None:
    """Mask each argument NAME=VALUE in the message; it is a secret if `--env` was forgotten."""
    message = error.message
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name.isidentifier() and value:
            for quoted in (argument, repr(argument)[1:-1]):
                message = message.replace(quoted, f"{name}=***")
    takes_env = error.ctx is not None and any(option.name == "env" for option in error.ctx.command.params)
    if message != error.message and takes_env:
        message += ". Pass a variable of the environment as --env NAME=VALUE or --env NAME."
    vars(error)["message"] = message  # click declares it as final


def _failed(error: BaseException, arguments: list[str]) -> int:
    """Report the error that ended the run; return its exit code."""
    from reconciler.cli.errors import problems_of
    from reconciler.cli.output import fail

    if isinstance(error, click.NoSuchOption):
        error = _with_suggestion(error, arguments)
    if isinstance(error, click.UsageError):
        _mask_values(error, arguments)
    problems, code = problems_of(error)
    if problems[0].code == "internal-error" and {"-v", "--verbose"} & set(arguments):
        from reconciler.cli.errors import masked_traceback
        from reconciler.reports.terminal.escape import plain_lines

        sys.stderr.write(plain_lines(masked_traceback(error, os.environ)))
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
    """Write click's message, which quotes the arguments, to stderr."""
    from io import StringIO

    from reconciler.reports.terminal.escape import for_terminal

    message = StringIO()
    error.show(message)
    click.echo(for_terminal(message.getvalue()), err=True, nl=False)


def _wants_json(arguments: list[str]) -> bool:
    return "--json" in arguments


def _wants_colour(arguments: list[str]) -> bool:
    from reconciler.cli.output import is_coloured

    return is_coloured(sys.stderr, no_color="--no-color" in arguments)
