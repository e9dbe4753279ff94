"""The command `reconciler mcp`."""

from __future__ import annotations

import sys

import click

from reconciler.cli.extras import require_extra
from reconciler.cli.options import Command, Run, with_run


@click.command(cls=Command)
@click.option("--quiet", is_flag=True, help="Do not log calls.")
@with_run
def mcp(run: Run, quiet: bool) -> None:
    """Serve the endpoints to an AI assistant by the Model Context Protocol, on stdin and stdout.

    An assistant starts this command itself; docs/mcp.md says how to set that up. Its tools read, plan and
    explain. The tool `apply` performs only plans that a person approved with `reconciler approve`. Each call
    is logged to stderr as one line of JSON.
    """
    require_extra("mcp", "mcp")
    if run.out.as_json:
        raise click.UsageError("stdout of mcp is for its protocol; it has no --json")
    if sys.stdin.isatty():
        run.out.line(
            "An assistant starts this command and communicates with it over stdin and stdout. Ctrl-C ends it."
        )
    from reconciler.mcp.process import serve

    serve(run.context, logs=not quiet)
