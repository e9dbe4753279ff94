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
            "environment": "",
            "pricePerGbDay": "0.00200",
        },
        {
            "name": "weights",
            "id": storage_id,
            "sizeGb": 200,
            "region": REGION,
            "mountedBy": ["chat", "llm"],
            "recorded": True,
            "environment": "",
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


def test_some_of_the_storages(sandbox: Sandbox) -> None:
    """By name or by address, as in a plan; a target that matches none is an error."""
    sandbox.declare(storages=[storage(), storage("models"), storage("cache")])
    sandbox.apply()

    def names(*args: str) -> list[str]:
        return sandbox.run("pvcs", "--output", "name", *args).out.split()

    assert names("--target", "weights", "--target", "novita_storage.models") == ["models", "weights"]
    assert names("--exclude", "novita_storage.m*", "--exclude", "cache") == ["weights"]
    assert names("--exclude", "*") == []
    assert "--exclude matches all" in sandbox.run("pvcs", "--exclude", "*").err
    ran = sandbox.run("pvcs", "--target", "wieghts")
    assert (ran.code, ran.out) == (1, "")
    assert "--target wieghts matches no storage" in ran.err
    assert "Did you mean `weights`?" in ran.err


def test_a_storage_of_another_environment(sandbox: Sandbox) -> None:
    """It is recorded there, which is not `no`."""
    settings = {"environments": {"dev": {"name": "{name}-dev", "default": True}, "prod": {}}}
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 0.2}, **settings})
    sandbox.declare(storages=[storage()])
    assert sandbox.run("apply", "-e", "prod", "--yes").code == 0
    assert sandbox.run("apply", "-e", "dev", "--yes").code == 0
    rows = {line.split()[0]: line for line in sandbox.run("pvcs", "-e", "dev").out.splitlines()}
    assert " environment prod " in rows["weights"]
    assert " yes " in rows["weights-dev"]
    found = {one["name"]: one for one in sandbox.run("pvcs", "-e", "dev", "--json").document}
    assert (found["weights"]["recorded"], found["weights"]["environment"]) == (False, "prod")
