"""The objects of one prefix of a bucket: the only door to the library for object stores.

All writes are conditional. A request without an answer may have been done, so a failed write is looked at:
if the object has the very bytes that were to be written, it succeeded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import AzureStore, GCSStore, S3Store

from reconciler import __version__
from reconciler.inventory.files import MAX_FILE_SIZE
from reconciler.inventory.stores.object_store.address import Address
from reconciler.inventory.stores.object_store.failures import (
    Place,
    configuration_problem,
    is_absence,
    problem_of,
)
from reconciler.inventory.stores.object_store.head import is_own
from reconciler.inventory.stores.object_store.parallel import in_parallel
from reconciler.model.durations import (
    FIRST_OBJECT_PAUSE,
    LARGE_OBJECT_TIMEOUT,
    OBJECT_BUDGET,
    OBJECT_CONNECT_TIMEOUT,
    OBJECT_RETRIES,
    OBJECT_TIMEOUT,
)
from reconciler.model.errors import InventoryError
from reconciler.model.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from obstore.store import ObjectStore

LARGE: Final = 1 << 20
"""Bytes of an object above which an upload may take long."""

_FAILURES: Final = (BaseError, OSError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One content of an object, for a write on condition that it is still there."""

    e_tag: str | None
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """An object as it was read. `modified`: the time of its last write, by the clock of the server."""

    data: bytes
    revision: Revision
    modified: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An object in a list. size: bytes; modified: the time of its last write, by the clock of the server."""

    key: str
    size: int
    modified: datetime


class Bucket:
    """The objects below one prefix. A key is the rest of an object's name. Thread-safe.

    Every method raises InventoryError if the store cannot do it.
    """

    def __init__(
        self, address: Address, environ: Mapping[str, str], *, timeout: float = OBJECT_TIMEOUT
    ) -> None:
        self._address, self._environ = address, environ
        self.place = Place(
            label=address.label,
            scheme=address.scheme,
            bucket=address.bucket,
            server=address.server(environ),
        )
        try:
            self._store = _connect(address, environ, timeout)
        except _FAILURES as error:
            raise InventoryError(configuration_problem(self.place)) from error

    @cached_property
    def _store_for_large(self) -> ObjectStore:
        return _connect(self._address, self._environ, LARGE_OBJECT_TIMEOUT)

    def beside(self, address: Address) -> Bucket:
        """Return the objects of another prefix of the same bucket, over the same connections."""
        other = copy(self)
        other._address = address
        other.place = replace(self.place, label=address.label)
        return other

    def get(self, key: str) -> Object | None:
        """Return an object, or None if there is none."""
        try:
            found = obstore.get(self._store, self._path(key))
            meta = found.meta
            if meta["size"] > MAX_FILE_SIZE:
                raise ValueError("too large")
            data = bytes(found.bytes())
        except _FAILURES as error:
            if is_absence(error):
                return None
            raise self._error(error, "read", key) from error
        return Object(
            data=data,
            revision=Revision(e_tag=meta["e_tag"], version=meta["version"]),
            modified=meta["last_modified"],
        )

    def get_data(self, key: str) -> bytes | None:
        """Return the data of an object, or None if there is none."""
        found = self.get(key)
        return found.data if found else None

    def get_all(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the data of objects, None for each that does not exist."""
        return in_parallel([partial(self.get_data, key) for key in keys])

    def create(self, key: str, data: bytes) -> bool:
        """Create an object. Return False if there is another one with other bytes."""
        for is_last in (False, True):
            failure: BaseException | None = None
            try:
                self._put(key, data, "create")
            except AlreadyExistsError as error:
                conflict = error
            except _FAILURES as error:
                failure = error
            else:
                return True
            try:
                there = self.get(key)
            except InventoryError:
                if failure is None:
                    raise
                raise self._error(failure, "write", key) from failure
            if there is not None:
                return there.data == data
            if is_last:
                raise self._error(failure or conflict, "write", key) from failure
        raise AssertionError("unreachable")

    def replace(self, key: str, data: bytes, revision: Revision) -> Revision | None:
        """Replace an object if it is still this revision. Return the new one, or None if it is not."""
        mode: Any = {
            name: value
            for name, value in (("e_tag", revision.e_tag), ("version", revision.version))
            if value is not None
        }
        for is_last in (False, True):
            try:
                result = self._put(key, data, mode)
                return Revision(e_tag=result["e_tag"], version=result["version"])
            except PreconditionError:
                failure: BaseException | None = None
            except _FAILURES as error:
                failure = error
            there = self.get(key)
            if there is not None and there.data == data:
                return there.revision
            if failure is None or there is None or there.revision != revision:
                return None
            if is_last:
                raise self._error(failure, "write", key) from failure
        raise AssertionError("unreachable")

    def keys(self, folder: str) -> list[str]:
        """Return the keys below a folder, such as `journal`, in order."""
        return [entry.key for entry in self.entries(folder)]

    def entries(self, folder: str) -> list[Entry]:
        """Return the objects below a folder in the order of their keys. Foreign ones are left out."""
        with self._failures("read", f"{folder}/"):
            chunks = obstore.list(self._store, self._path(folder), chunk_size=1000)
            found = [meta for chunk in chunks for meta in chunk]
        cut = len(self._path(""))
        entries = (
            Entry(key=meta["path"][cut:], size=meta["size"], modified=meta["last_modified"]) for meta in found
        )
        return sorted((entry for entry in entries if is_own(entry.key)), key=lambda entry: entry.key)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects. Those that do not exist count as deleted."""
        if paths := [self._path(key) for key in keys]:
            with self._failures("delete objects of"), suppress(FileNotFoundError):
                obstore.delete(self._store, paths)

    def siblings(self) -> list[str]:
        """Return the prefixes beside this one, without it."""
        parent, _, own = self._address.prefix.rpartition("/")
        with self._failures("list the inventories beside"):
            found = obstore.list_with_delimiter(self._store, parent or None)["common_prefixes"]
        return sorted(prefix for prefix in found if prefix.rpartition("/")[2] != own)

    def _put(self, key: str, data: bytes, mode: Any) -> Any:
        """Write an object on a condition. The time of an upload counts as time without an answer."""
        store = self._store if len(data) <= LARGE else self._store_for_large
        return obstore.put(store, self._path(key), data, mode=mode, use_multipart=False)

    def _path(self, key: str) -> str:
        return f"{self._address.prefix}/{key}"

    def _error(self, error: BaseException, verb: str, key: str = "") -> InventoryError:
        return InventoryError(problem_of(error, self.place, verb, key))

    @contextmanager
    def _failures(self, verb: str, key: str = "") -> Iterator[None]:
        try:
            yield
        except _FAILURES as error:
            raise self._error(error, verb, key) from error


def _connect(address: Address, environ: Mapping[str, str], timeout: float) -> ObjectStore:
    client: Any = {
        "allow_http": address.allows_http(environ),
        "connect_timeout": timedelta(seconds=min(OBJECT_CONNECT_TIMEOUT, timeout)),
        "read_timeout": timedelta(seconds=timeout),
        "timeout": timedelta(seconds=LARGE_OBJECT_TIMEOUT),
        "user_agent": f"novita-reconciler/{__version__}",
    }
    if address.scheme == "s3" and (authorities := environ.get("AWS_CA_BUNDLE")):
        client["root_certificate"] = Path(authorities).read_bytes()
    retry: Any = {
        "max_retries": OBJECT_RETRIES,
        "retry_timeout": timedelta(seconds=min(OBJECT_BUDGET, timeout)),
        "backoff": {"init_backoff": timedelta(seconds=FIRST_OBJECT_PAUSE)},
    }
    config: Any = address.config(environ)
    options: Any = {"config": config, "client_options": client, "retry_config": retry}
    match address.scheme:
        case "s3":
            return S3Store(address.bucket, **options)
        case "gs":
            return GCSStore(address.bucket, **options)
        case _:
            return AzureStore(address.bucket, **options)
