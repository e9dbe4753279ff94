"""How long the effect of a write stays unseen: the bounds that reads prove. Pure."""

from __future__ import annotations

import math
from typing import Final

from reconciler.model.lazy_dataclass import dataclass

STEP: Final = 10
"""Parts of a second to which a time is rounded up (count)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time from a write until it is visible (seconds): more than `low`, and at most `high`.

    low: to the last read that did not show it; below 0 if each read showed it. high: to the first read that
    did, infinite if none did.
    """

    low: float
    high: float

    @property
    def value(self) -> str:
        """Return the seconds of a switch of the simulator; 0 if nothing was late, "" if it never came."""
        if math.isinf(self.high):
            return ""
        return "0" if self.low < 0 else f"{math.ceil(self.high * STEP) / STEP:g}"

    @property
    def evidence(self) -> str:
        """Return what was seen, in words."""
        if math.isinf(self.high):
            return f"not within {self.low:.0f} s"
        if self.low < 0:
            return "no read was late"
        return f"after {self.low:.2f} to {self.high:.2f} s"

    def beyond(self, other: Span) -> Span:
        """Return by how much this time is longer than another one."""
        if math.isinf(self.high) or math.isinf(other.high):
            return Span(low=max(self.low, 0.0), high=math.inf)
        return Span(low=self.low - other.high, high=self.high - max(other.low, 0.0))
