"""Writers of a store as processes of their own, which a test can stop and kill."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Final, Self

from reconciler.inventory.journal import encode_line
from reconciler.inventory.stores.base import HistoryLine, Hold, Store
from reconciler.model.errors import InventoryError
from tests.stores.engines import StoreUnderTest, holder, open_store

ENGINES: Final = (
    "reconciler.inventory.stores.file.lock",
    "reconciler.inventory.stores.object_store.bucket",
    "reconciler.inventory.stores.postgres.hold",
    "reconciler.inventory.stores.terraform_http.hold",
    "reconciler.novita.http.httpx_transport",
)
"""Modules that each writer would import otherwise. None of them starts a thread, as the parent forks."""

_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.stores.writers", *ENGINES])

SECONDS: Final = int(os.environ.get("STORE_SECONDS", "90"))
"""The longest time of a verb."""


class Killed(Exception):
    """The process was killed inside the verb."""


class Failed(Exception):
    """The store raised an InventoryError with this code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class Writer:
    """A process that performs one verb after the other. The verbs are those of `Store` and `Hold`."""

    def __init__(
        self, under_test: StoreUnderTest, who: str = "anna", *, is_disturbed: bool = False, **more: str
    ) -> None:
        address = under_test.disturbed if is_disturbed else under_test.address
        environ = under_test.disturbed_environ if is_disturbed else under_test.environ
        self._pipe, theirs = _FORKS.Pipe()
        self._process = _FORKS.Process(
            target=_serve, args=(theirs, under_test.name, address, {**environ, **more}, who), daemon=True
        )
        self._process.start()
        theirs.close()
        assert self._process.pid
        self.pid: int = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self, verb: str, *arguments: Any, **options: Any) -> None:
        """Begin a verb; `result` waits for its end."""
        try:
            self._pipe.send((verb, arguments, options))
        except OSError as error:
            raise Killed(verb) from error

    def result(self) -> Any:
        """Return the result of the verb. Raise Failed or Killed."""
        try:
            assert self._pipe.poll(SECONDS), "the verb does not end"
            code, value = self._pipe.recv()
        except (EOFError, OSError) as error:
            self._process.join(60)
            raise Killed from error
        if code:
            raise Failed(code, value)
        return value

    def do(self, verb: str, *arguments: Any, **options: Any) -> Any:
        self.start(verb, *arguments, **options)
        return self.result()

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill the process as `kill -9` does, and wait for its end."""
        self._process.kill()
        self._process.join(60)

    def signal_kill(self) -> None:
        """Kill the process, and wait until the kernel has closed its files and connections."""
        os.kill(self.pid, signal.SIGKILL)
        self._process.join(60)


def _serve(pipe: Connection, name: str, address: str, environ: Mapping[str, str], who: str) -> None:
    threading.excepthook = lambda _: None
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = open_store(name, address, environ)
    serving = _Serving(store, who)
    while True:
        try:
            verb, arguments, options = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)
        try:
            pipe.send(("", serving.perform(verb, *arguments, **options)))
        except InventoryError as error:
            pipe.send((error.problem.code, str(error)))
        except Exception as error:
            pipe.send((type(error).__name__, repr(error)))


class _Serving:
    def __init__(self, store: Store, who: str) -> None:
        self._store = store
        self._who = who
        self._stack = ExitStack()
        self._hold: Hold | None = None

    def perform(self, verb: str, *arguments: Any, **options: Any) -> Any:
        if verb == "hold":
            self._hold = self._stack.enter_context(self._store.hold(holder(self._who), **options))
            return None
        if verb == "release":
            return self._stack.close()
        if verb == "limit":  # the size of each file, in bytes; -1 for no limit
            return resource.setrlimit(resource.RLIMIT_FSIZE, (arguments[0], resource.RLIM_INFINITY))
        if verb == "count_up":
            return self._count_up(*arguments)
        if verb == "append_history":
            arguments = ([HistoryLine(name=line_name, data=data) for line_name, data in arguments[0]],)
        if verb == "append_many":
            assert self._hold
            for line in arguments[0]:
                self._hold.append(line)
            return None
        owner = self._hold if hasattr(self._hold, verb) else self._store
        return getattr(owner, verb)(*arguments, **options)

    def _count_up(self, times: int) -> None:
        """Append the number of lines that are there, under a lock of its own each time."""
        for _ in range(times):
            with self._store.hold(holder(self._who), timeout=SECONDS) as hold:
                number = (self._store.read().journal or b"").count(b"\n")
                hold.append(encode_line([json.dumps([number, self._who]).encode()]))
