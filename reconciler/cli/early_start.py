"""The listing of the most frequent command lines, which begins before click and the commands are imported.

It begins only if no argument, variable or config.yaml decides which folder, files, environment, inventory
or account is meant. All other listings begin when the options are parsed. Tests compare the tables with the
commands.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from reconciler.config.environments import CONFIG_FILES
from reconciler.workflow.runtime.account import early_listing
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import STATE_VARIABLE, VARIABLE

LISTINGS: Final[Mapping[str, Mapping[str, bool]]] = {
    "plan": {"needs_files": True, "with_other_kinds": True},
    "apply": {"needs_files": True, "with_limits": True, "with_other_kinds": True},
    "drift": {"with_other_kinds": True},
    "list": {},
}
"""The commands, and the options with which they call `early_listing`."""

FLAGS: Final = frozenset({"--auto-approve", "--yes", "--detailed-exitcode", "--json", "--no-color"})
"""Options without a value that do not change what is listed."""

_begun: list[tuple[Context, AbstractContextManager[Context]]] = []


def begin(arguments: Sequence[str]) -> None:
    """Begin the listing of a command line if it is one of the known ones."""
    if not arguments or arguments[0] not in LISTINGS or not FLAGS.issuperset(arguments[1:]):
        return
    if any(os.environ.get(name) for name in (VARIABLE, STATE_VARIABLE)):
        return
    if any(map(os.path.lexists, CONFIG_FILES)):
        return
    if None in (sys.stdin, sys.stdout, sys.stderr):
        return  # a connection would get the number of the closed stream
    listing = early_listing(Context(root=Path(), environ=os.environ), **LISTINGS[arguments[0]])
    _begun.append((listing.__enter__(), listing))


@contextmanager
def begun_listing(context: Context, **options: bool) -> Iterator[Context]:
    """Yield the context with the listing that has begun, or else as `early_listing` does.

    A listing of another folder, account or environment is not used.
    """
    begun, listing = _begun.pop() if _begun else (context, None)
    if listing is None or begun.early is None or not _has_same_account(begun, context):
        with early_listing(context, **options) as new:
            yield new
        return
    begun.early.report_to(context.on_listed)
    try:
        yield replace(context, early=begun.early)
    finally:
        listing.__exit__(None, None, None)


def _has_same_account(begun: Context, context: Context) -> bool:
    """Return True if both contexts have the same settings, files, inventory and connections."""
    names = ("root", "environ", "dotenv", "files", "state", "environment", "parallelism", "on_call", "client")
    return all(getattr(begun, name) == getattr(context, name) for name in names)
