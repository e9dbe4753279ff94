"""One thing that `doctor` looked at, and the way out where it is not as it should be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.model.command import completed


class CheckStatus(StrEnum):
    """How a check ended; SKIP could not be made, mostly because an earlier one failed."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`found` is one clause without a full stop, `way_out` the next thing to do or type, like a hint."""

    name: str
    grade: CheckStatus
    found: str
    way_out: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "way_out", completed(self.way_out))
