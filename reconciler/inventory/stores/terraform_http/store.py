"""The store of an inventory as one state on a server."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path

from reconciler.inventory.lock_holder import LockHolder, current_holder
from reconciler.inventory.stores.base import Content, Store
from reconciler.inventory.stores.rows import clock_row, fact, owner_row
from reconciler.inventory.stores.terraform_http import state_lock
from reconciler.inventory.stores.terraform_http.address import StateAddress
from reconciler.inventory.stores.terraform_http.document import Document, parse_document
from reconciler.inventory.stores.terraform_http.failures import cannot_lock, not_held
from reconciler.inventory.stores.terraform_http.hold import StateHold
from reconciler.inventory.stores.terraform_http.lock_info import new_lock_id, short_id
from reconciler.inventory.stores.terraform_http.server import StateServer
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem
from reconciler.model.text import quantity


class TerraformHttpStore:
    """One inventory as one state. Thread-safe; it connects at the first call."""

    folder: Path | None = None
    keeps_lock = True

    def __init__(
        self, address: StateAddress, environ: Mapping[str, str], *, server: StateServer | None = None
    ) -> None:
        self._server = server or StateServer(address)
        self._environ = environ
        self._hold: StateHold | None = None

    @property
    def label(self) -> str:
        return self._server.address.label

    @cached_property
    def sibling(self) -> Store:
        return TerraformHttpStore(self._server.address.beside(), self._environ)

    def prepare_read(self) -> None:
        """Do nothing: a read is a single request."""

    def read(self) -> Content:
        return self._document().content

    def read_history(self, names: Collection[str] | None = None) -> bytes:  # noqa: ARG002 - one answer has all
        return self._document().history

    def read_document(self, name: str) -> bytes | None:
        return self._document().documents.get(name)

    @contextmanager
    def hold(
        self,
        holder: LockHolder,
        *,
        timeout: float = 0.0,
        stop: threading.Event | None = None,
        idle: float = 0.0,  # noqa: ARG002 - this lock does not end by itself
    ) -> Iterator[StateHold]:
        lock_id = state_lock.acquire(self._server, holder, timeout, stop)
        hold = StateHold(self._server, lock_id, holder)
        try:
            # A state that is no inventory is refused here, before anything is written.
            if not hold.document().serial and not state_lock.excludes(self._server, self._prober()):
                raise cannot_lock(self._server.address)
            self._hold = hold
            yield hold
        except BaseException as error:
            try:
                hold.release()
            except InventoryError as failure:
                error.add_note(str(failure))
            raise
        else:
            hold.release()
        finally:
            self._hold = None

    def holder(self) -> LockHolder | None:
        """Return the run that holds the lock. To learn it, the lock is taken for a moment if it is free."""
        _, held = state_lock.look(self._server, self._prober())
        return held.holder if held else None

    def unlock(self, lock_id: str) -> None:
        is_held, held = state_lock.look(self._server, self._prober())
        if not is_held or (held is not None and short_id(held.id) != short_id(lock_id)):
            raise not_held(self._server.address, lock_id, held)
        whole, holder = (held.id, held.holder) if held else (lock_id, self._prober())
        if not state_lock.free(self._server, whole, holder):
            raise not_held(self._server.address, lock_id, None)

    def neighbors(self) -> Mapping[str, Store]:
        """Return nothing: the protocol cannot list states."""
        return {}

    def examine(self) -> Iterable[Problem]:
        try:
            yield from self._examine()
        except InventoryError as error:
            yield from error.problems

    def _examine(self) -> Iterator[Problem]:
        response = self._server.read()
        yield fact("store-reachable", f"{self.label} can be read")
        document = parse_document(response.body, self.label)
        serial = f"the state has serial {document.serial}" if document.serial else "there is no state yet"
        yield fact("store-version", serial)
        if lines := (document.content.journal or b"").count(b"\n"):
            yield fact("store-journal", f"the journal has {quantity(lines, 'line')}")
        yield from self._examine_lock()
        yield from _clock(response.headers.get("date", ""))

    def _examine_lock(self) -> Iterator[Problem]:
        prober = self._prober()
        lock_id = new_lock_id(prober, is_gitlab=self._server.address.is_gitlab)
        if state_lock.try_lock(self._server, lock_id, prober) is None:
            try:
                if not state_lock.excludes(self._server, prober):
                    raise cannot_lock(self._server.address)
            finally:
                state_lock.free(self._server, lock_id, prober)
            yield fact("store-locks", "the server refuses a second lock")
            return
        yield fact("store-locks", "the server refuses a second lock; it is held now")
        if (owner := self.holder()) is not None:
            run = f", {owner.ci_run_url}" if owner.ci_run_url else ""
            yield owner_row(owner, run)

    def _document(self) -> Document:
        hold = self._hold
        if hold is not None and not hold.is_lost:
            return hold.document()
        return parse_document(self._server.read().body, self.label)

    def _prober(self) -> LockHolder:
        return current_holder(command=state_lock.PROBE, environ=self._environ, clock=time.time)


def _clock(date: str) -> Iterator[Problem]:
    try:
        difference = parsedate_to_datetime(date).timestamp() - time.time()
    except ValueError:
        return
    summary = f"the clock of the server differs by {difference:+.0f} s from the one of this machine"
    yield clock_row(difference, summary, "Locks do not depend on it, because they do not expire.")
