"""The contract of a store: the place that keeps one inventory for everybody who uses it.

All stores keep the same bytes: the map, the lines of the journal, the lines of the history, and a few small
documents. What these bytes mean is decided above, in `session.py` and `history.py`. A store makes each write
durable, gives readers a consistent picture without a lock, and admits one writer at a time.

Every method raises InventoryError when the store cannot do its work. The problem names the inventory by its
label, says what happened and which command to type next, and never contains a credential.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from reconciler.model.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import threading

    from reconciler.inventory.lock_holder import LockHolder
    from reconciler.model.problem import Problem

APPROVED_PLAN: Final = "approved"
"""The name of the document that keeps an approved plan until an apply has performed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The map and the whole journal, read together: the journal belongs to this map. None: there is none."""

    map: bytes | None = None
    journal: bytes | None = None

    @property
    def exists(self) -> bool:
        """Return whether there is an inventory, even an empty one."""
        return self.map is not None or self.journal is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """A line of the history with its newline, and the name of the endpoint that it is about."""

    name: str
    data: bytes


class Hold(Protocol):
    """The lock of one inventory, and the right to write to it. Made by `Store.hold`. Thread-safe.

    A writer whose lock was lost, to a dead connection or after a pause, must not write any more: each method
    raises InventoryError then, and nothing was written.
    """

    def check(self) -> None:
        """Raise InventoryError if the lock is known to be lost, or too old to be relied on.

        It is called before each change to the account, so it asks the store only after a time without an
        answer of it.
        """

    def append(self, line: bytes) -> None:
        """Append a line to the journal durably. One call at a time; `journal.py` groups the entries.

        After an error it is not known whether the line was written, unless the store can tell. Then this
        hold accepts no further line until `fold`.
        """

    def fold(self, map_: bytes, journal: bytes) -> None:
        """Replace the map, then replace the journal by these lines (b"" for none), both durably.

        A crash between the two leaves the new map with the old journal, which mean the same.
        """

    def append_history(self, lines: Sequence[HistoryLine]) -> None:
        """Append lines to the history durably. The store drops old lines by the rule of `history_entries`."""

    def write_document(self, name: str, data: bytes | None) -> None:
        """Replace a document durably, or remove it."""


class Store(Protocol):
    """The place that keeps one inventory. Thread-safe; it connects when it is first used.

    label: the name of the inventory in messages, such as `postgres://db.internal/infra?inventory=prod`. It
    can be typed after `--state`, and has no credential. folder: the folder of an inventory that is a file.
    sibling: the store of the controller, which has a lock and documents of its own, and no map; it is no
    neighbor. keeps_lock: the lock of a run that was killed stays until it is freed by hand.
    """

    @property
    def label(self) -> str: ...

    @property
    def folder(self) -> Path | None: ...

    @property
    def sibling(self) -> Store: ...

    @property
    def keeps_lock(self) -> bool: ...

    def prepare_read(self) -> None:
        """Connect now, beside other work, so that the first read is faster. That read reports failures."""

    def read(self) -> Content:
        """Return the map and the journal, without a lock, even while another run writes them."""

    def read_history(self, names: Collection[str] | None = None) -> bytes:
        """Return the lines of the history, oldest first. With names, lines about others may be left out."""

    def read_document(self, name: str) -> bytes | None:
        """Return a document, or None."""

    def hold(
        self,
        holder: LockHolder,
        *,
        timeout: float = 0.0,
        stop: threading.Event | None = None,
        idle: float = 0.0,
    ) -> AbstractContextManager[Hold]:
        """Take the lock for this holder. Raise InventoryLocked if it is not free in `timeout` seconds.

        stop: ends the wait when it is set, as the timeout does, and a wait for a lost connection. idle: the
        seconds after which a holder that does not call `check` may lose the lock, 0 for never. A store that
        cannot tell ignores it, and one with leases has its own.
        """

    def holder(self) -> LockHolder | None:
        """Return the run that holds the lock now, or None. It is a hint: it may end at any moment."""

    def unlock(self, lock_id: str) -> None:
        """Free a lock that outlived its run. Raise InventoryError if it is not held, or not by this lock."""

    def neighbors(self) -> Mapping[str, Store]:
        """Return the other inventories of the same place, by label: database, prefix, or folder."""

    def examine(self) -> Iterable[Problem]:
        """Yield a row for each fact that `doctor` shows: reachable, can lock, version, clock difference."""
