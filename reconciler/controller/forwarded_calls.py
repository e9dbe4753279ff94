"""Calls of `POST /hook` to a process that stands by, which passes them on to the leader by the store."""

from __future__ import annotations

import threading
import uuid
from contextlib import suppress

from reconciler.model.errors import ReconcilerError
from reconciler.model.sync.durations import APPROVAL_LOCK_TIMEOUT, HOOK_INTERVAL
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.inventory import run_holder

CALL = "hook-call"
"""The name of the document. Its text is another one after each call that was passed on."""


def can_forward(context: Context) -> bool:
    """Return whether calls are passed on: only where the lock of a process that is killed is freed."""
    return not context.store.keeps_lock


class CallForwarder:
    """Writes calls to the store. Calls that come together are one. Thread-safe.

    A call is lost if the store or its lock cannot be had: then the leader sees the commit at its next poll.
    """

    def __init__(self) -> None:
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._waiting: Context | None = None
        self._thread: threading.Thread | None = None

    def call(self, context: Context) -> None:
        """Pass a call on to the leader of the context's inventory, without waiting for it."""
        if not can_forward(context):
            return
        with self._lock:
            self._waiting = context
            if self._thread is None and not self._over.is_set():
                self._thread = threading.Thread(target=self._write_all, name="hook")
                self._thread.start()

    def close(self) -> None:
        """Wait until the lock of the store is free again, if it is taken."""
        self._over.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _write_all(self) -> None:
        while (context := self._next()) is not None:
            with suppress(ReconcilerError):
                _write(context, self._over)
            self._over.wait(HOOK_INTERVAL)

    def _next(self) -> Context | None:
        """Return the context of the calls that wait. Without any, the thread ends."""
        with self._lock:
            context, self._waiting = self._waiting, None
            if context is None or self._over.is_set():
                self._thread = None
                return None
            return context


class ForwardedCalls:
    """What the leader reads of them. Earlier ones are old: it looks for a revision when it begins to lead."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._last = self._read()

    def take(self) -> bool:
        """Return whether a call was passed on since the last time. Raise InventoryError."""
        before, self._last = self._last, self._read()
        return self._last != before

    def _read(self) -> bytes | None:
        return self._context.store.read_document(CALL) if can_forward(self._context) else None


def _write(context: Context, stop: threading.Event) -> None:
    """Raise InventoryLocked if the lock cannot be had in time, and InventoryError."""
    with context.store.hold(run_holder(context), timeout=APPROVAL_LOCK_TIMEOUT, stop=stop) as hold:
        hold.write_document(CALL, uuid.uuid4().hex.encode())
