"""The parts of the history, which are merged so that their number stays small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final

from reconciler.inventory.history_entries import is_too_long, kept_lines
from reconciler.inventory.stores.object_store import head as heads
from reconciler.inventory.stores.object_store.bucket import Bucket

MAX_PARTS: Final = 24
"""Parts of the history (count)."""


def merged_history(bucket: Bucket, keys: Sequence[str], write: Callable[[bytes], str]) -> tuple[str, ...]:
    """Return the keys of the history with its last parts merged by `write`; () if there are few enough.

    A part is merged with all after it once these are as large together, so a line is copied a few times at
    most. Old lines are dropped when all parts are merged.
    """
    if len(keys) <= MAX_PARTS:
        return ()
    sizes = {entry.key: entry.size for entry in bucket.entries(heads.PARTS)}
    after = list(accumulate(sizes.get(key, 0) for key in reversed(keys)))[::-1]
    first = next((n for n in range(len(keys) - 1) if sizes.get(keys[n], 0) <= after[n + 1]), len(keys) - 2)
    data = bucket.get_all(keys[first:])
    if None in data:
        return ()
    merged = b"".join(part for part in data if part)
    if first == 0 and is_too_long(merged):
        merged = kept_lines(merged)
    return (*keys[:first], write(merged))
