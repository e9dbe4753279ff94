"""The exit codes: a contract with every script that calls us."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command ends with. 2 never means a usage error, as it does in bare click."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    GUARD = 3
    INCOMPLETE = 4
    UNRESOLVED = 5
    STALE = 6
    LOCKED = 7
    REFUSED = 8
    USAGE = 64
    INTERRUPTED = 130
