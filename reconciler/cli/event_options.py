"""The option `--events` of every command that applies."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from reconciler.cli.options import Run


def streamed(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command `--events`: stdout is a stream of JSON messages, and nobody is asked.

    What the command calls `approved`, `plan_file` or `resume` is what approves it.
    """

    @functools.wraps(command)
    def wrapped(run: Run, /, *, events: bool, **arguments: Any) -> int:
        if events:
            from reconciler.cli.event_stream import Stream

            if run.out.as_json:
                raise click.UsageError("--events and --json both take stdout; choose one")
            if not any(arguments.get(name) for name in ("approved", "plan_file", "resume")):
                raise click.UsageError(
                    "--events never asks: pass --auto-approve, or a plan saved with `plan --out`"
                )
            run.out.stream = Stream()
        return command(run, **arguments)

    option = click.option("--events", is_flag=True, help="Stream JSON messages to stdout as it goes.")
    return option(wrapped)
