"""The simulator as a function in this process, without a socket. Processes can share its state file."""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random

from reconciler.simulator import storage
from reconciler.simulator.api import WRITES, Request, operation_of
from reconciler.simulator.profile import Profile
from reconciler.simulator.world import World

Call = Callable[[str, str, Mapping[str, str], bytes], tuple[int, dict[str, str], bytes]]


def embedded(path: Path, *, profile: Profile | None = None, clock: Callable[[], float] = time.time) -> Call:
    """Return a function `(method, target, headers, body) -> (status, headers, body)`; `target` has the query.

    Writes of several processes are serialized by an advisory lock on `<path>.lock`. The file is parsed again
    only if another process saved it.
    """
    path = Path(path)
    turn = threading.Lock()
    known: tuple[int, int, int] | None = None

    def fresh() -> World:
        # Without a seed, so that a new account does not repeat the IDs of an earlier one.
        return World(profile, clock=clock, random=Random())

    world = fresh()

    def refresh() -> None:
        nonlocal known, world
        current = storage.signature(path)
        if current == known:
            return
        if (data := storage.load(path)) is None:
            world = fresh()
        else:
            world.load(data)
        known = current

    def call(
        method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        nonlocal known
        request = Request.parse(method, target, headers, body)
        world.delay()
        with turn:
            if operation_of(request.method, request.path) in WRITES:
                with _locked(path):
                    refresh()
                    version = world.version
                    response = world.act(request)
                    if world.version != version:
                        storage.save(path, world.dump())
                        known = storage.signature(path)
            else:
                # The file is replaced atomically, so reading it needs no lock.
                refresh()
                response = world.act(request)
        return response.status, dict(response.headers), response.body

    return call


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = path.with_name(path.name + ".lock")
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:  # such as a symbolic link
        raise ConnectionRefusedError(error.errno, error.strerror, str(lock)) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
