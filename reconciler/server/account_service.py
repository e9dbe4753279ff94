"""The cache of the account and the threads that write, for servers of any protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from reconciler.server.account_cache import AccountCache, AccountReadings, Snapshot
from reconciler.workflow.runtime.context import Context

T = TypeVar("T")

MAX_WRITES: Final = 32
"""Writes that run or wait for the inventory."""


class TooManyWrites(Exception):
    """So many writes wait that no other one is accepted."""


class AccountService:
    """The cache of one account, and the threads that write.

    Raise InvalidConfig if config.yaml is invalid or there is no API key.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.readings = AccountReadings(lambda: self.context)
        self.cache = AccountCache(self._take, interval=self.readings.settings.poll_interval)
        self._writers = ThreadPoolExecutor(8, thread_name_prefix="write")
        self._writes = 0

    @property
    def context(self) -> Context:
        """Return the context of reads and writes."""
        return self._context

    def close(self) -> None:
        """Close what was opened, after the requests in flight have ended."""
        self.cache.close()
        self._writers.shutdown(wait=True)
        self.readings.close()

    async def write(self, run: Callable[[], T]) -> T:
        """Run a function that writes in a thread. Raise what it raises, and TooManyWrites.

        It runs to its end, even if the client goes away. Afterwards readers wait for a new listing.
        """
        if self._writes >= MAX_WRITES:
            raise TooManyWrites
        self._writes += 1
        try:
            future = asyncio.get_running_loop().run_in_executor(self._writers, run)
            return await asyncio.shield(future)
        finally:
            self._writes -= 1
            self.cache.expire()

    def _take(self, previous: Snapshot | None) -> Snapshot:
        """List the account. A server may add to the snapshot before readers see it."""
        return self.readings.take(previous)
