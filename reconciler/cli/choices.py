"""Options that several commands offer alike, each a decorator."""

from __future__ import annotations

from typing import Final

import click

from reconciler.cli.options import seconds

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
