"""Recognition of secrets in a start command, which must not be written down."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

LONG_ENOUGH: Final = 8
"""Characters. A shorter env value occurs in commands by chance."""

_OPTION: Final = re.compile(
    r"(?i)(?<![a-z0-9])"
    r"(?:token|secret|passw(?:or)?d|pwd|(?:api|access|auth|private|secret)[-_]?key|credentials?|bearer|authorization)"
    r"""["']?(?:\s*+[=:]\s*+|\s++)["']?(?!\$)[^\s"']"""
)
_IN_URL: Final = re.compile(r"://[^/\s:@]*:(?!\$)[^/\s@]+@")


def holds_credential(command: str, env_values: Iterable[str]) -> bool:
    """Return True for an option or header named for a credential, a password in a URL, or an env value.

    A shell variable in such a place (`--token $HF_TOKEN`) does not count.
    """
    return (
        _OPTION.search(command) is not None
        or _IN_URL.search(command) is not None
        or any(len(value) >= LONG_ENOUGH and value in command for value in env_values)
    )
