"""Images that are fetched to a region before workers need them, and the tasks of the account that do so."""

from __future__ import annotations

from typing import Final

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.secrets import reveal
from reconciler.model.values import Value

MARK: Final = "warmed by reconciler"
"""With this, the note of a task begins if this tool has made it."""

MAX_NOTE: Final = 200
"""The longest note (characters)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PulledImage:
    """An image that workers pull in a region, with the ID of a registry credential, or "".

    `endpoints` are the names of those that change to it. Each value may be a `Secret`.
    """

    image: Value
    region: Value
    auth: Value = ""
    endpoints: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """The image and the region that a task has."""
        return str(reveal(self.image)), str(reveal(self.region))

    @property
    def note(self) -> str:
        """The note of a task for it."""
        return f"{MARK}: {', '.join(self.endpoints)}"[:MAX_NOTE]

    def __str__(self) -> str:
        return f"{self.image} in {self.region}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrewarmTask:
    """A prewarm task of the account. `state` is Novita's word in lower case."""

    id: str
    image: str
    region: str
    state: str
    note: str = ""
    reasons: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.image, self.region

    @property
    def is_ours(self) -> bool:
        """True if this tool has made the task."""
        return self.note == MARK or self.note.startswith(f"{MARK}:")

    @property
    def is_warm(self) -> bool:
        return self.state == "succeeded"

    @property
    def is_failed(self) -> bool:
        return self.state == "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrewarmQuota:
    """The tasks that there are, and the most that there may be (counts)."""

    used: int
    limit: int

    @property
    def free(self) -> int:
        return max(self.limit - self.used, 0)
