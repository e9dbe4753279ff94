"""A listing that begins before it is asked for."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.resource import ListingProgress
from reconciler.novita.account import LISTING_DONE, AccountReader
from reconciler.novita.http.client import Client

from .support import ManualTime, secret


class Account:
    """Three pages of endpoints; the answers wait for `goes_on`."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun, self.goes_on = threading.Semaphore(0), threading.Event()

    def __call__(self, _method: str, target: str, _headers: Mapping[str, str], _body: bytes) -> Any:
        self.asked += 1
        self.begun.release()
        assert self.goes_on.wait(60)
        number = int(target.split("pageNum=")[1].split("&")[0])
        found = [{"id": f"id{one}", "name": f"n{one}"} for one in range(number * 100, number * 100 + 100)]
        body = {"endpoints": found if number < 3 else [], "total": 300}
        return 200, {"content-type": "application/json"}, json.dumps(body).encode()


def client_of(account: Account) -> Client:
    return Client("https://api.test", secret(), app=account, timing=ManualTime().timing())


def test_the_first_listing_starts_at_once_and_the_second_is_a_new_one() -> None:
    account = Account()
    reader = AccountReader(client_of(account), ENDPOINT, parallelism=2)
    reader.prefetch()
    assert account.begun.acquire(timeout=60)
    account.goes_on.set()
    first = reader.listing()
    asked = account.asked
    assert (len(first.endpoints), asked) == (300, first.requests)
    assert reader.listing() == first
    assert account.asked == 2 * asked


def test_no_further_page_is_requested_after_the_cancellation() -> None:
    account = Account()
    told: list[ListingProgress] = []
    with client_of(account) as client:
        reader = AccountReader(client, ENDPOINT, parallelism=2, on_listed=told.append)
        reader.prefetch()
        for _ in range(2):  # two pages are requested at the same time
            assert account.begun.acquire(timeout=60)
        reader.cancel_prefetch()
    account.goes_on.set()
    with pytest.raises(RuntimeError, match="closed"):
        reader.listing()
    assert account.asked == 2
    assert told == [LISTING_DONE]
