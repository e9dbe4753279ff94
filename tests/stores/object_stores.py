"""Shared parts of the tests of object stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from reconciler.inventory.lock_holder import LockHolder
from reconciler.inventory.stores.object_store.address import parse_address
from reconciler.inventory.stores.object_store.bucket import Bucket
from reconciler.inventory.stores.object_store.store import ObjectStore
from reconciler.model.errors import InventoryError
from tests.s3_proxy import S3Proxy, s3_proxy
from tests.s3_server import S3Server


def holder(who: str = "anna") -> LockHolder:
    return LockHolder(
        who=who,
        host="laptop",
        pid=4711,
        command="apply",
        since="2026-11-28T12:00:00+00:00",
        ci_run_url="",
        version="0.1.0",
    )


def store(
    address: str, environ: Mapping[str, str], *, lease: float = 60.0, timeout: float = 10.0
) -> ObjectStore:
    return ObjectStore(parse_address(address), environ, lease=lease, timeout=timeout)


class Place:
    """An address on a server, reached through a proxy that can disturb it."""

    def __init__(self, server: S3Server, proxy: S3Proxy) -> None:
        self.address = server.new_address()
        self.proxy = proxy
        self._direct, self._disturbed = server.environ(), server.environ(proxy.url)

    def store(self, *, lease: float = 60.0, timeout: float = 10.0, is_disturbed: bool = False) -> ObjectStore:
        """Return a store of its own, such as that of another process."""
        environ = self._disturbed if is_disturbed else self._direct
        return store(self.address, environ, lease=lease, timeout=timeout)

    def bucket(self) -> Bucket:
        """Return the objects themselves."""
        return Bucket(parse_address(self.address), self._direct)

    def keys(self) -> list[str]:
        bucket = self.bucket()
        return [*bucket.keys("journal"), *bucket.keys("parts")]


@pytest.fixture
def place(s3_server: S3Server) -> Iterator[Place]:
    with s3_proxy(s3_server.url) as proxy:
        yield Place(s3_server, proxy)


@contextmanager
def refused(code: str) -> Iterator[pytest.ExceptionInfo[InventoryError]]:
    """Expect an InventoryError with this code, whose texts have no credential."""
    with pytest.raises(InventoryError) as caught:
        yield caught
    problem = caught.value.problem
    assert problem.code == code
    assert problem.hint
    assert "secret-access-key" not in f"{problem}"
    assert "AKIATEST" not in f"{problem}"
