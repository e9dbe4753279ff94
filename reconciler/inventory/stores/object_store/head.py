"""The head: the one object that says who holds the inventory, and which objects belong to it.

    PREFIX/head.json                        the head
    PREFIX/parts/0000000007-000003-map.json a part, written by hold 7: the map, lines, or a document
    PREFIX/journal/0000000007-000000012     one append of hold 7

Every change of the head is on condition that nobody else changed it, so it alone decides. All other objects
are written once and never changed. A part counts when the head names it. An append counts as soon as it is
written, without a change of the head, unless its key is before `start`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from reconciler.inventory.lock_holder import LockHolder, parse_holder
from reconciler.model.lazy_dataclass import dataclass

KEY: Final = "head.json"
JOURNAL: Final = "journal"
PARTS: Final = "parts"

FORMAT: Final = 1

MAX_FENCE: Final = 10**10
"""The first number of a hold that has no place in a key."""

MAX_PARTS: Final = 10_000
"""Parts of one inventory (count). A run reads each of them."""

_OWN: Final = re.compile(rf"{JOURNAL}/\d{{10}}-\d{{9}}|{PARTS}/\d{{10}}-\d{{6}}-[\w.-]+")


class NewerFormat(ValueError):
    """A head that a newer release wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of an inventory.

    fence: the number of the last hold; each one has its own. closed: the holds up to this number append no
    more. holder: the run that holds the inventory, None if it is free. lease: after which the lock is free if
    it was not renewed (seconds). map: the key of the map, or "". journal: the keys of merged appends. start:
    the key of the first append that is neither in the map nor in `journal`. history: the keys of its lines,
    oldest first. documents: the key of each document. nonce: never the same twice, so that equal heads have
    different ETags.
    """

    fence: int
    closed: int
    lease: float
    holder: LockHolder | None = None
    map: str = ""
    journal: tuple[str, ...] = ()
    start: str = ""
    history: tuple[str, ...] = ()
    documents: Mapping[str, str]
    nonce: str = ""

    @property
    def lock_id(self) -> str:
        """The name of the current lock, "" if there is none."""
        return self.holder.lock_id if self.holder else ""

    @property
    def parts(self) -> frozenset[str]:
        """The keys of all parts that belong to the inventory."""
        named = (self.map, *self.journal, *self.history, *self.documents.values())
        return frozenset(key for key in named if key)


def encode(head: Head) -> bytes:
    """Return a head as JSON. Readers of the bucket see at once who holds the inventory."""
    return (json.dumps({"format": FORMAT, **asdict(head)}, indent=2) + "\n").encode()


def decode(data: bytes) -> Head:
    """Return the head of these bytes. Raise ValueError for anything else."""
    try:
        document: dict[str, Any] = json.loads(data)
        if document.pop("format") > FORMAT:
            raise NewerFormat("a newer release wrote it")
        holder = document.pop("holder")
        for name in ("journal", "history"):
            document[name] = tuple(document[name])
        head = Head(holder=parse_holder(holder) if holder else None, **document)
        named = (*head.journal, *head.history, *head.documents.values())
        if not all(map(is_own, named)) or not all(key == "" or is_own(key) for key in (head.map, head.start)):
            raise ValueError("it names an object that no run writes")
        if len(named) > MAX_PARTS or type(head.nonce) is not str:
            raise ValueError("a value is out of its range")
        if not all(type(number) is int and 0 <= number < MAX_FENCE for number in (head.fence, head.closed)):
            raise ValueError("a number is out of its range")
        if not (head.fence > 0 and head.closed <= head.fence and 0 < head.lease <= 86400):
            raise ValueError("a number is out of its range")
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return head


def new_nonce() -> str:
    return os.urandom(8).hex()


def journal_key(fence: int, number: int) -> str:
    """Return the key of an append. Keys sort by hold, then by number."""
    return f"{JOURNAL}/{fence:010d}-{number:09d}"


def part_key(fence: int, number: int, name: str) -> str:
    """Return the key of a part. name: its kind for people, such as `map.json`."""
    return f"{PARTS}/{fence:010d}-{number:06d}-{name}"


def is_own(key: str) -> bool:
    """Return whether it is the key of an append or of a part."""
    return bool(_OWN.fullmatch(key))


def fence_of(key: str) -> int:
    """Return the hold that wrote an append or a part."""
    return int(key.rpartition("/")[2].partition("-")[0])


def number_of(key: str) -> int:
    """Return the number of an append within its hold."""
    return int(key.rpartition("-")[2])
