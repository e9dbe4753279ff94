"""`--drain`: the workers that a scale makes too many get no new work before the counts are lowered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.kinds.registry import KINDS
from reconciler.model.plan import Change, Scale


def drained(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes, each scale with the workers that it drains."""
    return tuple(
        replace(
            change, drain=KINDS[change.kind].surplus(change.live, change.target["workerConfig"]["maxNum"])
        )
        if isinstance(change, Scale) and "maxNum" in change.target["workerConfig"]
        else change
        for change in changes
    )
