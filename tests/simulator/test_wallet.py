"""The balance, an overdue account and the start of billing, over a socket."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.simulator import Fault

from .account import DAY, Account, account
from .api import Clock, body

BALANCE = "/openapi/v1/billing/balance/detail"


def balance(api: Account) -> dict[str, str]:
    answer = httpx.get(api.sim.url + BALANCE, headers={"Authorization": "Bearer test"})
    assert answer.status_code == 200
    amounts: dict[str, str] = answer.json()
    return amounts


@pytest.mark.parametrize(
    ("switches", "available", "cash", "credit"),
    [
        ({}, "1000000", "1000000", "0"),
        ({"balance": 250, "credit_limit": 50}, "300", "250", "50"),
        ({"balance": -20, "credit_limit": 50}, "30", "-20", "50"),
        ({"overdue": True}, "0", "0", "0"),
    ],
)
def test_the_balance(switches: dict[str, Any], available: str, cash: str, credit: str) -> None:
    """Digits as text, in 1/10000 dollars; an overdue account has nothing left."""
    with account(**switches) as api:
        assert balance(api) == {
            "availableBalance": available,
            "cashBalance": cash,
            "creditLimit": credit,
            "outstandingInvoices": "0",
        }


@pytest.mark.parametrize(
    ("reason", "status"),
    [("BALANCE_NOT_ENOUGH", 400), ("BILLING_BALANCE_NOT_ENOUGH", 400), ("NOT_ENOUGH_BALANCE", 403)],
)
def test_an_account_without_money_creates_nothing(reason: str, status: int) -> None:
    """Creates and updates of endpoints and storages are refused; views, deletes and credentials are not."""
    with account() as api:
        endpoint_id, storage = api.new_endpoint(), api.new_storage()
        api.sim.world.switch(balance=0, overdue_reason=reason)
        grown = {"storageId": storage, "storageName": "models", "storageSize": 200}
        new = {"clusterId": "as-sgp-2", "storageName": "a", "storageSize": 10}
        refusals = {
            api.refused("/endpoint/create", {"endpoint": body()}),
            api.refused("/endpoint/update", {"id": endpoint_id, **body()}),
            api.refused("/networkstorage/create", new),
            api.refused("/networkstorage/update", grown),
        }
        assert refusals == {(status, reason)}
        api.new_auth()
        assert [one["storageSize"] for one in api.storages()] == [100]
        assert api.post("/networkstorage/delete", {"storageId": storage}) == (200, {})
        assert api.post("/endpoint/delete", {"id": endpoint_id}) == (200, {})


def test_storages_are_released_after_three_days(tmp_path: Path) -> None:
    """The days count from the first request that finds the account overdue, also across a restart."""
    clock, state = Clock(), tmp_path / "sim.json"
    with account(state, clock) as api:
        api.new_storage()
        api.sim.world.switch(overdue=True)
        assert len(api.storages()) == 1
        clock.now += 2 * DAY
    with account(state, clock, overdue=True) as api:
        assert len(api.storages()) == 1
        clock.now += DAY - 1
        assert len(api.storages()) == 1
        clock.now += 1
        assert api.storages() == []
    with account(state, clock) as api:
        assert api.storages() == []


def test_a_payment_in_time_keeps_the_storages() -> None:
    """And the days count anew the next time."""
    with account(release_seconds=10) as api:
        api.new_storage()
        for _ in range(3):
            api.sim.world.switch(balance=0)
            assert len(api.storages()) == 1
            api.clock.now += 9
            api.sim.world.switch(balance=1)
            assert len(api.storages()) == 1
            api.clock.now += 9
        assert len(api.storages()) == 1


def test_billing_of_a_worker_starts() -> None:
    """With its boot, or once it runs; a worker without stock, or that never ran, is not billed."""
    with account(worker_boot_seconds=100, billed_from="running") as api:
        endpoint_id = api.new_endpoint()

        def billed() -> list[str]:
            return [worker["createdAt"] for worker in api.endpoint(endpoint_id)["workers"]]

        assert billed() == [""]
        api.sim.world.switch(billed_from="starting")
        assert billed() == ["2023-11-14T22:13:20Z"]
        api.sim.world.switch(billed_from="running")
        api.clock.now += 100
        assert billed() == ["2023-11-14T22:15:00Z"]
        api.sim.world.switch(rolling_overlap=False)
        new_image = {"image": {"image": "registry.example.com/sd:2"}}
        for _ in range(2):
            assert api.post("/endpoint/update", {"id": endpoint_id, **body(**new_image)})[0] == 200
            new_image["image"]["image"] += "x"
        api.clock.now += 100
        assert billed() == ["2023-11-14T22:15:00Z", "", "2023-11-14T22:16:40Z"]
    with account(no_stock=True) as api:
        assert api.endpoint(api.new_endpoint())["workers"][0]["createdAt"] == ""


def test_the_balance_needs_a_key_and_has_faults() -> None:
    """403 without a key; its operation is `balance`."""
    with account() as api:
        assert httpx.get(api.sim.url + BALANCE).status_code == 403
        api.sim.faults.add(Fault(operation="balance", status=500))
        headers = {"Authorization": "Bearer test"}
        assert httpx.get(api.sim.url + BALANCE, headers=headers).status_code == 500
        assert balance(api)["creditLimit"] == "0"
