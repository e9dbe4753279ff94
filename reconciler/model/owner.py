"""To whom an inventory belongs: one account, and one set of files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """What an inventory says of those who write it. What is empty, or None, is not known.

    `account` is a keyed fingerprint of the API key. `root` is the way from the folder of the inventory to the
    root of the files, and `files` are what `-f` named, relative to the root; () is the usual search.
    """

    account: str = ""
    root: str = ""
    files: tuple[str, ...] | None = None


UNKNOWN: Final = Owner()
