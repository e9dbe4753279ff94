"""One listing an interval, however many look, and none while nobody does."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.config.loader import LoadedConfig
from reconciler.config.specs import Specs
from reconciler.model.errors import ReconcilerError
from reconciler.model.problem import Problem
from reconciler.model.resource import Inventory
from reconciler.model.settings import Settings
from reconciler.server import account_cache
from reconciler.server.account_cache import AccountCache, Snapshot
from reconciler.simulator import Server
from reconciler.workflow.endpoints import LocalState
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.files.memory import FileMemory
from reconciler.workflow.runtime.settings import valid_settings

from .conftest import Start

ALL = "/api/v1/endpoints"
ENDPOINT = "endpoints:\n- {endpoint: chat, specName: novita-5090-single, image: 'a/b:1'}\n"


class Account:
    """Stands for the account: counts the listings, and fails on demand."""

    def __init__(self) -> None:
        self.listings = 0
        self.fails = False
        self.duration = 0.0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def take(self, _previous: Snapshot | None) -> Snapshot:
        started = time.monotonic()
        self.listings += 1
        assert self.may_answer.wait(60)
        time.sleep(self.duration)
        if self.fails:
            raise ReconcilerError(Problem(code="failed", summary="failed"))
        local = LocalState(
            settings=Settings(), inventory=Inventory(), desired=None, specs=Specs(entries={}, file=None)
        )
        return Snapshot(
            number=self.listings, taken_at=datetime.now(UTC), started=started, live=(), infos=(), local=local
        )


def run(test: Callable[[AccountCache, Account], Any], *, interval: float = 60.0) -> None:
    async def with_cache() -> None:
        account = Account()
        cache = AccountCache(account.take, interval=interval)
        task = asyncio.create_task(cache.run())
        try:
            async with asyncio.timeout(30):
                await test(cache, account)
        finally:
            account.may_answer.set()
            task.cancel()
            cache.close()

    asyncio.run(with_cache())


def test_many_readers_share_one_listing() -> None:
    async def test(cache: AccountCache, account: Account) -> None:
        snapshots = await asyncio.gather(*(cache.get() for _ in range(200)))
        assert {snapshot.number for snapshot in snapshots} == {1}
        assert (await cache.get()).number == 1
        assert account.listings == 1

    run(test)


def test_a_fresh_read_and_a_read_after_a_write_wait_for_a_listing_that_begins_later() -> None:
    async def test(cache: AccountCache, account: Account) -> None:
        await cache.get()
        assert (await cache.get(fresh=True)).number == 2
        account.may_answer.clear()
        begun = asyncio.create_task(cache.get(fresh=True))
        while account.listings < 3:
            await asyncio.sleep(0.001)
        cache.expire()
        after = asyncio.create_task(cache.get())
        await asyncio.sleep(0)
        account.may_answer.set()
        assert (await begun).number == 3
        assert (await after).number == 4

    run(test)


def test_the_last_listing_is_served_while_newer_ones_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(cache: AccountCache, account: Account) -> None:
        await cache.get()
        account.fails = True
        await asyncio.sleep(0.1)
        assert (await cache.get()).number == 1
        assert cache.failure is not None
        with pytest.raises(ReconcilerError):
            await cache.get(fresh=True)
        monkeypatch.setattr(account_cache, "MAX_STALENESS", 0.0)
        with pytest.raises(ReconcilerError):
            await cache.get()
        account.fails = False
        await cache.get(fresh=True)
        assert cache.failure is None

    run(test, interval=0.05)


def test_the_account_is_listed_while_somebody_looks_and_not_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def test(cache: AccountCache, account: Account) -> None:
        monkeypatch.setattr(account_cache, "READER_MEMORY", 0.1)
        changes = cache.changes()
        numbers = [(await anext(changes)).number for _ in range(3)]
        assert numbers == sorted(set(numbers))
        await changes.aclose()  # type: ignore[attr-defined]
        await asyncio.sleep(0.3)
        listed = account.listings
        await asyncio.sleep(0.2)
        assert account.listings == listed
        await cache.get(fresh=True)
        assert account.listings > listed

    run(test, interval=0.02)


def test_a_server_lists_once_an_interval_and_says_how_old_the_listing_is(
    start: Start, sim: Server, folder: Path
) -> None:
    server = start()
    numbers = {server.get(ALL).headers["x-reconciler-age"] for _ in range(20)}
    assert len(numbers) > 1
    pages = sum(one.operation == "list" for one in sim.requests)
    assert pages <= 2  # one listing: the first page, and the one after it
    server.get(f"{ALL}?fresh=1")
    assert sum(one.operation == "list" for one in sim.requests) > pages


def test_those_who_follow_learn_at_once_that_listings_fail() -> None:
    """Once, and again when they succeed; not at each listing in between."""

    async def test(cache: AccountCache, account: Account) -> None:
        changes = cache.changes()
        assert (await anext(changes)).number == 1
        account.fails = True
        assert (await anext(changes)).number == 1
        assert cache.failure is not None
        failed = account.listings
        following = asyncio.ensure_future(anext(changes))
        while account.listings < failed + 2:
            await asyncio.sleep(0.001)
        assert not following.done()
        account.fails = False
        assert (await following).number > failed
        assert cache.failure is None
        await changes.aclose()  # type: ignore[attr-defined]

    run(test, interval=0.02)


def test_readers_do_not_wait_for_listings_that_take_longer_than_the_interval() -> None:
    """Each of them is served the last one while the next is under way."""

    async def test(cache: AccountCache, account: Account) -> None:
        account.duration = 0.2
        await cache.get()
        end, waits = time.monotonic() + 1, []
        while time.monotonic() < end:
            asked = time.monotonic()
            await cache.get()
            waits.append(time.monotonic() - asked)
            await asyncio.sleep(0.005)
        assert account.listings >= 4
        assert max(waits) < 0.1

    run(test, interval=0.05)


def test_files_are_parsed_again_only_after_a_change(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.model.durations.FILE_CLOCK", 0.05)
    context = Context(root=folder, environ={})
    memory = FileMemory()

    def load() -> LoadedConfig:
        time.sleep(0.1)  # until the times of the files are those of the past
        return memory.load(context, valid_settings(context))

    endpoints = folder / "endpoints" / "team"
    first = load()
    assert load() is first
    endpoints.mkdir(parents=True)
    assert load() is first
    (endpoints / "a.yaml").write_text(ENDPOINT)
    second = load()
    assert [one.name for one in second.desired] == ["chat"]
    assert load() is second
    (endpoints / "a.yaml").write_text(ENDPOINT.replace("chat", "talk"))  # as long as before
    assert [one.name for one in load().desired] == ["talk"]
    specs = folder / "config" / "specs.yaml"
    text = specs.read_text()
    specs.write_text("specs: []\n")
    assert load().errors
    specs.write_text(text)
    assert not load().errors
    (endpoints / "a.yaml").unlink()
    assert load().desired == ()


def test_files_that_change_within_a_tick_or_refer_to_others_are_parsed_each_time(folder: Path) -> None:
    context, memory = Context(root=folder, environ={}), FileMemory()
    settings = valid_settings(context)
    (folder / "endpoints.yaml").write_text(ENDPOINT)
    assert memory.load(context, settings) is not memory.load(context, settings)
    (folder / "endpoints.yaml").write_text(ENDPOINT.replace("a/b:1", "${file:image}"))
    (folder / "image").write_text("a/b:1")
    for path in (folder / "endpoints.yaml", folder / "image"):
        os.utime(path, (1, 1))
    assert memory.load(context, settings) is not memory.load(context, settings)


@pytest.mark.timeout(20)
def test_a_pipe_among_the_files_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.model.durations.FILE_CLOCK", 0.0)
    context, memory = Context(root=folder, environ={}), FileMemory()
    settings = valid_settings(context)
    os.mkfifo(folder / "endpoints.yaml")
    assert any("it is not a file" in problem.summary for problem in memory.load(context, settings).errors)
