"""Builders, and disks that count, fill up, die or lose their power."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from reconciler.inventory.files import FileSystem
from reconciler.inventory.lock_holder import current_holder
from reconciler.inventory.map_format import parse, serialize_inventory
from reconciler.inventory.session import Session, open_session
from reconciler.inventory.stores.file.hold import write_map as write_bytes
from reconciler.inventory.stores.file.store import FileStore
from reconciler.kinds.endpoint.fields import TABLE
from reconciler.model.resource import Intent, Inventory, Owner, Tracked
from reconciler.model.secrets import Keyring, Sealed
from reconciler.model.sync.lease import Lease
from reconciler.model.values import LARGEST_NUMBER

URL = "https://api.novita.ai"
NOON = 1_750_000_000.0


def tracked(name: str, **applied: Any) -> Tracked:
    """A record whose ID follows from its name."""
    return Tracked(name=name, id=f"id-{name}", applied={"name": name, **applied})


def intent(name: str) -> Intent:
    return Intent(name=name, known_ids=("other",), app_name=name, applied={"name": name})


def opened(
    path: Path, *, disk: FileSystem | None = None, base_url: str = URL
) -> AbstractContextManager[Session]:
    return open_session(
        FileStore(path, disk=disk),
        current_holder(command="reconciler apply", environ={"USER": "ada"}, clock=lambda: NOON),
        base_url=base_url,
    )


def read_map(path: Path) -> Inventory:
    """Return the map alone; none is empty."""
    store = FileStore(path)
    data = store.read().map
    return Inventory() if data is None else parse(store.label, data)


def write_map(path: Path, inventory: Inventory, *, disk: FileSystem | None = None) -> bool:
    """Write the map alone; False if it has this content already."""
    return write_bytes(FileStore(path).path, serialize_inventory(inventory), disk or FileSystem())


def said(inventory: Inventory) -> tuple[dict[str, Tracked], dict[str, Intent]]:
    """Return the records and intents of an inventory, to be compared."""
    return dict(inventory.records), dict(inventory.intents)


class Trace(FileSystem):
    """Keeps the name of every operation in order."""

    def __init__(self) -> None:
        self.operations: list[str] = []

    def record(self, name: str) -> None:
        self.operations.append(name)

    @property
    def syncs(self) -> int:
        return self.operations.count("sync")

    def open(self, path: Path, flags: int) -> int:
        self.record("open")
        return super().open(path, flags)

    def write(self, fd: int, data: bytes) -> int:
        self.record("write")
        return super().write(fd, data)

    def sync(self, fd: int) -> None:
        self.record("sync")
        super().sync(fd)

    def truncate(self, fd: int, length: int) -> None:
        self.record("truncate")
        super().truncate(fd, length)

    def chmod(self, fd: int, mode: int) -> None:
        self.record("chmod")
        super().chmod(fd, mode)

    def replace(self, source: Path, target: Path) -> None:
        self.record("replace")
        super().replace(source, target)

    def unlink(self, path: Path) -> None:
        self.record("unlink")
        super().unlink(path)

    def sync_directory(self, path: Path) -> None:
        self.record("sync_directory")
        super().sync_directory(path)

    def make_directory(self, path: Path) -> None:
        self.record("make_directory")
        super().make_directory(path)


class Crash(BaseException):
    """The process is gone; nothing may catch it and go on."""


class Dying(Trace):
    """Dies before operation number `last` (after half of it, if it is a write) and does nothing after it."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self.last = last

    def record(self, name: str) -> None:
        if len(self.operations) >= self.last:
            raise Crash
        super().record(name)

    def write(self, fd: int, data: bytes) -> int:
        if len(self.operations) == self.last:
            os.write(fd, data[: len(data) // 2])
        return super().write(fd, data)

    def sync(self, fd: int) -> None:
        self.record("sync")  # a dead process leaves its writes to the kernel, so it waits for no disk

    def sync_directory(self, path: Path) -> None:
        self.record("sync_directory")


class Failing(Trace):
    """Fails the operations of these names while `is_failing`; the first write takes `room` bytes."""

    def __init__(self, *names: str, code: int = errno.ENOSPC, room: int = 0) -> None:
        super().__init__()
        self.names, self.code, self.room = names, code, room
        self.is_failing = True

    def record(self, name: str) -> None:
        super().record(name)
        if self.is_failing and name in self.names:
            raise OSError(self.code, os.strerror(self.code))

    def write(self, fd: int, data: bytes) -> int:
        if self.is_failing and self.room and "write" in self.names:
            taken, self.room = os.write(fd, data[: self.room]), 0
            return taken
        return super().write(fd, data)


class PowerCut(Dying):
    """Dies like `Dying`, and knows what of each file and of each name had been synced by then."""

    def __init__(self, last: int, directory: Path) -> None:
        super().__init__(last)
        self.directory = directory
        self.names: dict[str, int] = {}
        self.on_durable: dict[int, bytes] = {}
        self.files: dict[int, int] = {}
        for number, path in enumerate(sorted(directory.iterdir())):
            self.names[path.name] = number
            self.on_durable[number] = path.read_bytes()
        self.durable_names = dict(self.names)

    def open(self, path: Path, flags: int) -> int:
        fd = super().open(path, flags)
        self.files[fd] = self.names.setdefault(path.name, 1000 + len(self.operations))
        return fd

    def sync(self, fd: int) -> None:
        super().sync(fd)
        self.on_durable[self.files[fd]] = self._current(self.files[fd])

    def replace(self, source: Path, target: Path) -> None:
        super().replace(source, target)
        self.names[target.name] = self.names.pop(source.name)

    def unlink(self, path: Path) -> None:
        super().unlink(path)
        self.names.pop(path.name, None)

    def sync_directory(self, path: Path) -> None:
        super().sync_directory(path)
        self.durable_names = dict(self.names)

    def survivors(self, *, names: bool, data: bool) -> dict[str, bytes]:
        """The files once the lights are on; `names`, `data`: what was not synced survived all the same."""
        kept = self.names if names else self.durable_names
        return {
            name: self._current(number) if data else self.on_durable.get(number, b"")
            for name, number in kept.items()
        }

    def _current(self, number: int) -> bytes:
        for name, found in self.names.items():
            if found == number:
                return (self.directory / name).read_bytes()
        return self.on_durable.get(number, b"")


def until_it_lives(run: Callable[[int], bool]) -> int:
    """Call `run` with 0, 1, 2 ... until it says that nothing died; the number of deaths."""
    deaths = 0
    while run(deaths):
        deaths += 1
    return deaths


KEYRING = Keyring.from_key("k")
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_NUMBER, LARGEST_NUMBER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | texts.map(KEYRING.seal)
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
FIELDS = {path[0] for path in TABLE.by_path}
# What is recorded of an endpoint: the maps of the wire are maps, whatever else stands beside them.
applied = st.builds(
    lambda shaped, more: {**more, **shaped},
    st.fixed_dictionaries(
        {},
        optional={
            "image": st.dictionaries(texts, leaves, max_size=2),
            "envs": st.dictionaries(texts, texts | texts.map(KEYRING.seal), max_size=3),
            "volumeMounts": st.dictionaries(texts, st.dictionaries(texts, leaves, max_size=2), max_size=2),
        },
    ),
    st.dictionaries(texts.filter(lambda key: key not in FIELDS), values, max_size=4),
)
leases = st.builds(
    lambda low, more, days, why: Lease(
        min=low, max=low + more, until=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days), why=why
    ),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 9999),
    texts,
)
records = st.builds(
    Tracked,
    name=texts.filter(bool),
    id=texts.filter(lambda text: text.isprintable() and bool(text)),
    applied=applied,
    origin=st.sampled_from(["declared", "imperative"]),
    prevent_destroy=st.booleans(),
    lease=st.none() | leases,
    declared_counts=texts,
    adopted=st.booleans(),
)
intents = st.builds(
    Intent,
    name=texts.filter(bool),
    known_ids=st.lists(texts, max_size=3).map(tuple),
    app_name=texts,
    applied=applied,
    prevent_destroy=st.booleans(),
    origin=st.sampled_from(["declared", "imperative"]),
)
inventories = st.builds(
    Inventory,
    records=st.lists(records, max_size=5).map(lambda found: {record.name: record for record in found}),
    base_url=texts,
    owner=st.builds(
        Owner,
        account=st.sampled_from(["", "ab" * 6]),
        root=texts,
        files=st.none() | st.lists(texts, max_size=3).map(tuple),
    ),
)

SEALED = Sealed(mac="ab" * 32, key_id="cd" * 6)
