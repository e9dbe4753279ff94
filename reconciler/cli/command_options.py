"""Options that several commands offer alike, each a decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from reconciler.cli.options import seconds

F = TypeVar("F", bound=Callable[..., Any])

auto_approve: Final = click.option("--auto-approve", "--yes", "approved", is_flag=True, help="Do not ask.")
adopt: Final = click.option(
    "--adopt", is_flag=True, help="Take over endpoints of declared names that differ."
)
allow_delete: Final = click.option(
    "--allow-delete", type=click.IntRange(min=0), metavar="N", help="Agree to N deletes and replaces."
)
no_delete: Final = click.option("--no-delete", is_flag=True, help="Leave out whatever deletes.")
create_first: Final = click.option(
    "--create-first", is_flag=True, help="Replace by creating first, where the appName differs."
)
other_account: Final = click.option(
    "--allow-other-account",
    "other_account",
    is_flag=True,
    help="Write an inventory that seems to be another account's.",
)
other_files: Final = click.option(
    "--allow-other-files",
    "other_files",
    is_flag=True,
    help="Write an inventory that other files wrote.",
)
_adopted: Final = click.option(
    "--allow-adopted", "adopted", is_flag=True, help="Delete or replace what was only adopted by its name."
)
parallelism: Final = click.option(
    "--parallelism",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="Calls at once.",
)
lock_timeout: Final = click.option(
    "--lock-timeout", type=seconds, default="0", metavar="SECONDS", help="Wait for the lock (60, 60s, 5m)."
)
wait: Final = click.option(
    "--wait",
    type=seconds,
    is_flag=False,
    flag_value="30m",
    metavar="[DURATION]",
    help="Wait until it serves (90, 90s, 10m; 30m if not said).",
)


def agreements(command: F) -> F:
    """Give a command the flags that agree to what a guard asks about; named as in `Allowances`."""
    return other_files(other_account(_adopted(command)))
