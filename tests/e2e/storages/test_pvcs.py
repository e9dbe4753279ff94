"""`reconciler pvcs` lists the storages of the account, and who mounts them."""

from tests.e2e.sandbox import Sandbox, item

from .support import REGION, call, live, storage


def test_the_storages_of_the_account(sandbox: Sandbox) -> None:
    """Recorded or not, with the endpoints that mount them."""
    sandbox.declare(storages=[storage()])
    sandbox.apply()
    call(
        sandbox,
        "networkstorage/create",
        {"clusterId": REGION, "storageName": "other", "storageSize": 10},
    )
    storage_id = live(sandbox)["weights"]["storageId"]
    mount = {"type": "network", "id": storage_id, "mountPath": "/weights"}
    sandbox.declare(item("llm", storage=[mount]), item("chat", storage=[mount]), storages=[storage()])
    sandbox.apply()
    assert sandbox.run("pvcs", "--json").document == [
        {
            "name": "other",
            "id": live(sandbox)["other"]["storageId"],
            "sizeGb": 10,
            "region": REGION,
            "mountedBy": [],
            "recorded": False,
            "pricePerGbDay": "0.00200",
        },
        {
            "name": "weights",
            "id": storage_id,
            "sizeGb": 200,
            "region": REGION,
            "mountedBy": ["chat", "llm"],
            "recorded": True,
            "pricePerGbDay": "0.00200",
        },
    ]
    titles, first, second = sandbox.run("pvcs").out.splitlines()
    assert titles.split() == ["NAME", "ID", "SIZE", "REGION", "RECORDED", "MOUNTED", "BY"]
    assert first.split()[-2:] == ["no", "-"]
    assert second.split()[-3:] == ["yes", "chat,", "llm"]
    assert sandbox.run("pvcs", "--output", "name").out == "other\nweights\n"


def test_an_account_without_storages(sandbox: Sandbox) -> None:
    """It says how to declare one."""
    ran = sandbox.run("pvcs")
    assert (ran.code, ran.out) == (0, "")
    assert "declare them under `storages:`" in ran.err
    assert sandbox.run("pvcs", "--json").document == []
