"""The stores under test, each with the means to disturb it."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from reconciler.inventory.files import FileSystem
from reconciler.inventory.lock_holder import LockHolder
from reconciler.inventory.stores.base import Store
from reconciler.inventory.stores.object_store import LEASE_VARIABLE
from reconciler.inventory.stores.object_store import head as heads
from reconciler.inventory.stores.object_store.address import parse_address
from reconciler.inventory.stores.object_store.bucket import Bucket
from tests.postgres_server import PostgresServer
from tests.s3_server import S3Server
from tests.stores.gitlab_server import StateServer, environment
from tests.stores.relay import Relay, relay

LEASE: Final = 3.0
"""Seconds of the lease of an object store in these tests."""

SHORT_LEASE: Final = 1.2
"""Seconds of the lease of a writer that is stopped or killed as soon as it has the lock."""

MODULES: Final = {"postgres": "postgres", "s3": "object_store", "http": "terraform_http"}
"""The module of each store that is not a file."""

NAMES: Final = ("file", *MODULES)

TABLES: Final = ("inventory", "journal", "history", "document")
"""The tables of a schema."""


def holder(who: str) -> LockHolder:
    return LockHolder(
        who=who,
        host=socket.gethostname(),
        pid=os.getpid(),
        command="apply",
        since="2026-11-28T12:00:00+00:00",
        ci_run_url="",
        version="0.1.0",
    )


def open_store(name: str, address: str, environ: Mapping[str, str]) -> Store:
    """Return a store of its own, as another process has it."""
    if name == "file":
        from reconciler.inventory.stores.file.store import FileStore

        last = environ.get("LAST_OPERATION")
        return FileStore(Path(address), disk=Killing(int(last)) if last else None)
    module = importlib.import_module(f"reconciler.inventory.stores.{MODULES[name]}")
    store: Store = module.open_store(address, environ)
    return store


@dataclass(frozen=True, kw_only=True)
class StoreUnderTest:
    """One inventory in one store, without content at first.

    address: as it is typed after `--state`; disturbed: the same place through the relay. environ: the
    variables of the engine. keeps_lock: the lock outlives a run that was killed. takeover: seconds after
    which the lock of a killed run is free at the latest, on a busy machine. soon_over: more variables, for a
    writer whose lock is to be free earlier. can_unlock: a lock can be freed by hand. fill_disk: let writes
    fail for want of space, inside the block; None if it is done otherwise. reset: remove the inventory.
    """

    name: str
    address: str
    environ: Mapping[str, str]
    disturbed: str
    disturbed_environ: Mapping[str, str]
    relay: Relay | None = None
    keeps_lock: bool = False
    takeover: float = 10.0
    soon_over: Mapping[str, str] = field(default_factory=dict)
    can_unlock: bool = True
    reset: Callable[[], object]
    fill_disk: Callable[[], AbstractContextManager[None]] | None = None

    def store(self) -> Store:
        return open_store(self.name, self.address, self.environ)

    def free_lock(self) -> None:
        """Free the lock of runs that were killed, by hand if it would stay. No run may be at work."""
        if self.relay:
            self.relay.settle()
        store, end = self.store(), time.monotonic() + 60
        while (found := store.holder()) is not None:
            if self.keeps_lock or self.name == "s3":
                store.unlock(found.lock_id)
                return
            assert time.monotonic() < end, f"{found} still holds the lock"
            time.sleep(0.005)


class Killing(FileSystem):
    """A disk whose process is killed before operation number `last` (from 1), or after half of that write."""

    def __init__(self, last: int) -> None:
        self._left = last

    def _count(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)

    def open(self, path: Path, flags: int) -> int:
        self._count()
        return super().open(path, flags)

    def write(self, fd: int, data: bytes) -> int:
        if self._left == 1:
            os.write(fd, data[: len(data) // 2])
        self._count()
        return super().write(fd, data)

    def sync(self, fd: int) -> None:
        self._count()  # a killed process leaves its writes to the kernel, so it waits for no disk

    def sync_directory(self, path: Path) -> None:
        self._count()

    def truncate(self, fd: int, length: int) -> None:
        self._count()
        super().truncate(fd, length)

    def replace(self, source: Path, target: Path) -> None:
        self._count()
        super().replace(source, target)

    def unlink(self, path: Path) -> None:
        self._count()
        super().unlink(path)


@contextmanager
def file_under_test(folder: Path) -> Iterator[StoreUnderTest]:
    path = str(folder / "state" / "novita.json")
    yield StoreUnderTest(
        name="file",
        address=path,
        environ={},
        disturbed=path,
        disturbed_environ={},
        can_unlock=False,
        reset=lambda: [one.unlink() for one in Path(path).parent.glob("*")],
    )


@contextmanager
def postgres_under_test(server: PostgresServer) -> Iterator[StoreUnderTest]:
    address = server.address("prod")
    schema = address.rpartition("=")[2]
    with relay(server.port) as between:
        yield StoreUnderTest(
            name="postgres",
            address=address,
            environ={},
            disturbed=server.address("prod", schema=schema, port=between.port),
            disturbed_environ={},
            relay=between,
            reset=lambda: server.run_sql(f"drop schema if exists {schema} cascade"),
            fill_disk=lambda: _full_database(server, schema),
        )


@contextmanager
def s3_under_test(server: S3Server) -> Iterator[StoreUnderTest]:
    address = server.new_address()
    with relay(urlsplit(server.url).port or 0) as between:
        lease = {LEASE_VARIABLE: str(LEASE)}
        yield StoreUnderTest(
            name="s3",
            address=address,
            environ={**server.environ(), **lease},
            disturbed=address,
            disturbed_environ={**server.environ(between.url), **lease},
            relay=between,
            takeover=LEASE + 20,
            soon_over={LEASE_VARIABLE: str(SHORT_LEASE)},
            reset=lambda: _empty_bucket(address, server.environ()),
        )


@contextmanager
def http_under_test(server: StateServer, state: str) -> Iterator[StoreUnderTest]:
    with relay(server.port) as between:
        address = server.gitlab(state)
        yield StoreUnderTest(
            name="http",
            address=address,
            environ=environment(server),
            disturbed=address.replace(f":{server.port}/", f":{between.port}/"),
            disturbed_environ=environment(server),
            relay=between,
            keeps_lock=True,
            reset=lambda: server.states.pop(urlsplit(address).path, None),
            fill_disk=lambda: _too_large(server),
        )


def _empty_bucket(address: str, environ: Mapping[str, str]) -> None:
    bucket = Bucket(parse_address(address), environ)
    bucket.delete([heads.KEY, *bucket.keys(heads.JOURNAL), *bucket.keys(heads.PARTS)])


@contextmanager
def _full_database(server: PostgresServer, schema: str) -> Iterator[None]:
    """Refuse each new row as a server without space does."""
    raises = "begin raise exception 'No space left on device' using errcode = '53100'; end"
    server.run_sql(
        f"create function {schema}.refuse() returns trigger language plpgsql as $$ {raises} $$",
        *(
            f"create trigger is_full before insert or update on {schema}.{table}"
            f" for each row execute function {schema}.refuse()"
            for table in TABLES
        ),
    )
    try:
        yield
    finally:
        server.run_sql(f"drop function {schema}.refuse cascade")


@contextmanager
def _too_large(server: StateServer) -> Iterator[None]:
    server.max_size = 1
    try:
        yield
    finally:
        server.max_size = 0
