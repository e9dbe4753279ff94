"""The command `reconciler open`."""

from __future__ import annotations

import os
import sys

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.shell_completion import complete_endpoints
from reconciler.model.problem import ExitCode

CONSOLE = "https://console.novita.ai"


@click.command(cls=Command)
@click.argument("name", required=False, shell_complete=complete_endpoints)
@with_run
def open(run: Run, name: str | None) -> int:  # noqa: A001 - the name of the command
    """Open the URL of an endpoint in the browser, or without NAME the Novita console.

    The browser sends a request to the endpoint, which may start a worker that is billed. Without a terminal
    or a browser, the URL is printed.
    """
    from reconciler.reports.terminal.escape import plain

    url = CONSOLE if name is None else _url_of(run, name)
    if sys.stdout.isatty() and not os.environ.get("CI") and not run.out.as_json:
        import webbrowser

        if webbrowser.open(url):
            run.out.line(f"Opened {plain(url)}")
            return ExitCode.OK
    if run.out.as_json:
        run.out.document(url)
    else:
        run.out.result(f"{plain(url)}\n")
    return ExitCode.OK


def _url_of(run: Run, name: str) -> str:
    """Return the URL of an endpoint. Raise InvalidConfig if it is no plain http or https address."""
    from reconciler.model.command import Operand, command_line
    from reconciler.model.errors import InvalidConfig
    from reconciler.model.problem import Problem
    from reconciler.reports.views.outputs import SAFE_URL
    from reconciler.workflow.output import url_to_open

    output, notes = url_to_open(run.context, name)
    run.out.problems(notes)
    url = output.url
    if not SAFE_URL.fullmatch(url):
        command = command_line("reconciler", "output", Operand(name))
        raise InvalidConfig(
            Problem(
                code="unsafe-url",
                summary=f"the URL of `{name}` is not opened: it is no plain http or https address",
                hint=f"{command}   shows it",
            )
        )
    return url
