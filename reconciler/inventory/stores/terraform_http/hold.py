"""The right to write to a state: each write replaces the whole document, with the next serial.

The answer of a write may be lost. Then the state is read back before anything else is written: it has either
the document from before, or the one of that write, or somebody else has written and the lock is lost.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from reconciler.inventory.lock_holder import LockHolder
from reconciler.inventory.stores.base import Content, HistoryLine
from reconciler.inventory.stores.clock import passed
from reconciler.inventory.stores.terraform_http import failures
from reconciler.inventory.stores.terraform_http.document import Document, parse_document
from reconciler.inventory.stores.terraform_http.server import BUSY, CONFLICTS, StateServer, retry_after
from reconciler.inventory.stores.terraform_http.state_lock import GRANTED, free
from reconciler.model.durations import CALL_BUDGET, STATE_TRUST
from reconciler.model.errors import InventoryError
from reconciler.novita.http.limits import NotSent, UnusableResponse
from reconciler.novita.http.transport import MAX_BODY_SIZE, Response

TOO_LARGE: Final = 413
UNPROCESSABLE: Final = 422

_SHORTER: Final = (10, 5, 2, 1, 0)
"""Lines of the history of each name that are kept if the document is too large, one after the other."""


class StateHold:
    """The hold of one run. Thread-safe: one write at a time."""

    def __init__(self, server: StateServer, lock_id: str, holder: LockHolder) -> None:
        self._server = server
        self._lock_id = lock_id
        self._holder = holder
        self._writing = threading.RLock()  # guards all below
        self._saved: Document | None = None  # the state as this hold knows it
        self._unsettled: Document | None = None  # a write that may have been done, or may still be on its way
        self._lost = ""
        self._answered = 0.0  # the time of the last answer that shows the state; sleep counts

    @property
    def is_lost(self) -> bool:
        return bool(self._lost)

    def check(self) -> None:
        if not self._lost and passed() - self._answered >= STATE_TRUST:
            self.document()  # fails if another run has written
        self._check_lost()

    def document(self) -> Document:
        """Return the document as it is now."""
        with self._writing:
            return self._current()

    def append(self, line: bytes) -> None:
        with self._writing:
            self._check_lost()
            if self._unsettled is not None:
                raise failures.broken(self._server.address)
            self._write(lambda document: document.with_line(line))

    def fold(self, map_: bytes, journal: bytes) -> None:
        content = Content(map=map_, journal=journal or None)
        with self._writing:
            self._write(lambda document: replace(document, content=content))

    def append_history(self, lines: Sequence[HistoryLine]) -> None:
        if not lines:
            return
        with self._writing:
            self._write(lambda document: document.with_history([line.data for line in lines]))

    def write_document(self, name: str, data: bytes | None) -> None:
        with self._writing:
            if data is not None or name in self._current().documents:
                self._write(lambda document: document.with_document(name, data))

    def release(self) -> None:
        """Free the lock; nothing can be written any more. Raise InventoryError if that fails."""
        with self._writing:
            was_lost, self._lost = self._lost, self._lost or "this run has freed it"
            if was_lost and not self._server.address.is_gitlab:
                return  # a server that does not compare IDs would free the lock of another run
            try:
                free(self._server, self._lock_id, self._holder)
            except InventoryError as error:
                raise failures.not_freed(self._server.address, self._holder_id, error) from error

    @property
    def _holder_id(self) -> str:
        return self._lock_id.partition(" ")[0]

    def _check_lost(self) -> None:
        if self._lost:
            raise failures.lock_lost(self._server.address, self._lost)

    def _current(self) -> Document:
        """Return the document that the next write is based on. Read it if it is not known for certain."""
        is_recent = passed() - self._answered < STATE_TRUST
        if self._saved is None or self._unsettled is not None or not is_recent:
            now = self._read()
            if self._saved is not None and now not in (self._saved, self._unsettled):
                self._lose("another run has written")
            self._saved, self._unsettled = now, None
        return self._saved

    def _read(self) -> Document:
        document = parse_document(self._server.read().body, self._server.address.label)
        self._answered = passed()
        return document

    def _write(self, change: Callable[[Document], Document]) -> None:
        self._check_lost()
        before = self._current()
        document = replace(change(before), serial=before.serial + 1)
        size = 0
        for shorter in _with_less_history(document):
            data = shorter.encode()
            size = size or len(data)
            if len(data) <= MAX_BODY_SIZE and self._post(shorter, data):
                self._saved, self._answered = shorter, passed()
                return
        raise failures.too_large(self._server.address, shorter, size)

    def _post(self, document: Document, data: bytes) -> bool:
        """Write a document. Return False if it is too large. Raise InventoryError if it was not written."""
        target, address = self._server.address.write, self._server.address
        started = time.monotonic()
        failure: InventoryError | None = None
        may_be_written = False
        for pause in (*self._server.pauses, None):
            response: Response | None = None
            self._unsettled = document  # also if this thread is interrupted
            try:
                response = self._server.call(target, data, lock_id=self._lock_id)
            except NotSent as error:
                failure = failures.unreachable(target, error)
            except UnusableResponse as error:
                failure, may_be_written = failures.unreachable(target, error), True
            if response is not None:
                if response.status in GRANTED:
                    self._unsettled = None
                    return True
                failure = failures.status_problem(address, target, response.status)
                may_be_written |= response.status in BUSY
                if response.status not in BUSY:
                    return self._refused(response.status, document, failure, may_be_written=may_be_written)
            if may_be_written and self._is_written(document):
                return True
            if pause is None or time.monotonic() - started > CALL_BUDGET:
                break
            self._server.sleep(max(pause, retry_after(response)) if response else pause)
        assert failure is not None
        if not may_be_written:
            self._unsettled = None
        raise failures.maybe_written(failure) if may_be_written else failure

    def _refused(
        self, status: int, document: Document, failure: InventoryError, *, may_be_written: bool
    ) -> bool:
        """Settle a write that the server refused. An earlier attempt may have succeeded."""
        if (may_be_written or status in CONFLICTS or status == UNPROCESSABLE) and self._is_written(document):
            if status in CONFLICTS:
                self._lost = "it was freed, or another run holds it"  # the next write fails
            return True
        if status in CONFLICTS:
            self._lose("it was freed, or another run holds it")
        if not may_be_written:
            self._unsettled = None
        if status == TOO_LARGE:
            return False
        raise failures.maybe_written(failure) if may_be_written else failure

    def _is_written(self, document: Document) -> bool:
        """Read the state back. Return False if it is as before, or cannot be read. Raise if it is another."""
        try:
            now = self._read()
        except InventoryError:
            return False
        if now == document:
            self._unsettled = None
            return True
        if now != self._saved:
            self._lose("another run has written")
        return False

    def _lose(self, why: str) -> None:
        self._lost = why
        raise failures.lock_lost(self._server.address, why)


def _with_less_history(document: Document) -> Iterator[Document]:
    yield document
    last = document
    for count in _SHORTER:
        shorter = document.with_short_history(count)
        if shorter.history != last.history:
            yield shorter
            last = shorter
