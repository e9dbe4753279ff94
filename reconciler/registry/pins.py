"""The pin of an image: the digest beside its tag, and what the registry says about it."""

from __future__ import annotations

from enum import StrEnum

from reconciler.kinds.image_reference import ImageReference
from reconciler.model.lazy_dataclass import dataclass


class PinState(StrEnum):
    """The pin of one image. MISSING and MOVED are what `pin` or `pin --update` would write."""

    PINNED = "pinned"
    MISSING = "missing"
    MOVED = "moved"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The image of one endpoint.

    image: None if it is secret or unset. digest: the one to write, or "". is_literal: False if a reference
    gives the image. reason: why the digest of its tag is not known.
    """

    endpoint: str
    image: ImageReference | None
    state: PinState
    is_literal: bool
    digest: str = ""
    reason: str = ""

    @property
    def moved(self) -> str:
        """What moved, as a clause; "" if the tag still means the pinned image."""
        if self.state is not PinState.MOVED or self.image is None:
            return ""
        pinned, now = short(self.image.digest), short(self.digest)
        return f"tag moved: `{self.image.tag}` is pinned to {pinned}, the registry has {now}"


def short(digest: str) -> str:
    """Return a digest with the first twelve of its digits."""
    algorithm, _, digits = digest.partition(":")
    return f"{algorithm}:{digits[:12]}"
