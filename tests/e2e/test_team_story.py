"""A team declares all that a private model needs, keeps its budget, rotates a password and cleans up."""

import json
from fractions import Fraction
from typing import Any
from urllib.request import Request, urlopen

import pytest

from .sandbox import API, KEY, CommandResult, Sandbox, item

FIRST, SECOND = "ghp-the-first-one", "ghp-the-second-one"
ENDPOINTS = ("chat", "embed")
REPORTS = (
    *("--json-into", "reports/run.json", "--markdown-into", "reports/run.md"),
    *("--html-into", "reports/run.html", "--junit-into", "reports/run.xml"),
)
SPECS = {
    "specs": [
        {
            "name": "small",
            "resources": {"gpu": "1", "ephemeralStorage": "100"},
            "platforms": {"novita": {"productId": "SL-serverless-3", "region": "us-dallas-nas-2"}},
        }
    ]
}


class Team:
    """The files of the team, what it has printed so far, and the account behind them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.printed = ""
        self._seen = 0
        sandbox.write("specs.yaml", SPECS)

    def declare(self, size: int = 200, protected: bool = True) -> None:
        mount = {"type": "network", "name": "weights", "mountPath": "/weights"}
        image = {"image": "ghcr.io/acme/chat:1", "imageAuth": "ghcr", "prewarm": True}
        endpoints = [item(name, **image, storage=[mount], minReplicas=1, maxReplicas=3) for name in ENDPOINTS]
        weights = {"name": "weights", "region": "us-dallas-nas-2", "sizeGb": size}
        self.sandbox.declare(
            *endpoints,
            registries=[{"name": "ghcr", "username": "robot", "password": "${env:GHCR_TOKEN}"}],
            storages=[weights | {"lifecycle": {"preventDestroy": protected}}],
        )

    def limit(self, floor: int) -> None:
        """Set the budget for the floor, in USD per month."""
        novita = {"settle_seconds": 0.05, "poll_interval": 0.1}
        self.sandbox.write("config.yaml", {"novita": novita, "budget": {"floor_per_month": floor}})

    def run(self, *args: str, code: int = 0) -> CommandResult:
        ran = self.sandbox.run(*args)
        assert ran.code == code, ran.err + ran.out
        self.printed += ran.out + ran.err
        return ran

    def apply(self, *args: str, code: int = 0) -> CommandResult:
        """Apply with all details in the log, and with every report."""
        return self.run("apply", "-v", "--auto-approve", *REPORTS, *args, code=code)

    def writes(self) -> list[str]:
        """Return the operations of the writes since the last call, in their order."""
        new = self.sandbox.sim.requests[self._seen :]
        self._seen += len(new)
        return [one.operation for one in new if one.method != "GET"]

    def account(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.sandbox.sim.world.dump()[kind]
        return found

    def require_secrecy(self) -> None:
        """Require that no password was printed, or written to any file of the folder."""
        texts = [self.printed, *(content.decode() for content in self.sandbox.files().values())]
        assert not [secret for secret in (FIRST, SECOND, KEY) for text in texts if secret in text]


def ask(sandbox: Sandbox, path: str, body: Any = None) -> Any:
    """Return Novita's answer to another user of the account, as JSON."""
    data = None if body is None else json.dumps(body).encode()
    with urlopen(
        Request(sandbox.sim.url + path, data, {"Authorization": f"Bearer {KEY}"}), timeout=10
    ) as answer:
        return json.load(answer)


def worker_per_month(sandbox: Sandbox) -> Fraction:
    """Compute what one worker costs, in USD, from Novita's own list of products."""
    products = ask(sandbox, "/gpus/v2/products?type=gpu&category=serverless&limit=100")["data"]
    (product,) = [one for one in products if one["id"] == "SL-serverless-3"]
    pricing = product["pricing"]
    assert pricing["postpaid"]["unit"] == "per_hour"
    disk = max(0, 100 - product["resource_spec"]["rootfs"]["free_gb"])
    per_hour = pricing["postpaid"]["final_price"] + Fraction(disk * pricing["storage_price_per_gb"], 24)
    return per_hour * 730 / 10 ** pricing["precision"]


def storage_per_month(sandbox: Sandbox, size: int) -> Fraction:
    """Compute what a storage costs, in USD, from the price per GB and day of the one that is there."""
    (there,) = ask(sandbox, f"{API}/networkstorages/list?pageNo=1&pageSize=10")["data"]
    return size * Fraction(int(there["price"]), 10**5) * 730 / 24


@pytest.fixture
def team(sandbox: Sandbox) -> Team:
    sandbox.sim.world.switch(check_references=True, in_use_lag_seconds=0.1, prewarm_seconds=0.2)
    sandbox.monkeypatch.setenv("GHCR_TOKEN", FIRST)
    # Novita tells the price of a region's storage only with a storage that is there.
    there = {"clusterId": "us-dallas-nas-2", "storageName": "theirs", "storageSize": 10}
    ask(sandbox, f"{API}/networkstorage/create", there)
    return Team(sandbox)


def test_the_story_of_a_team(team: Team) -> None:
    """Refuse, raise the budget, apply, rotate, grow and destroy; what others have in the account stays."""
    weights = storage_per_month(team.sandbox, 200)
    workers = worker_per_month(team.sandbox) * len(ENDPOINTS)
    floor, ceiling = weights + workers, weights + 3 * workers
    team.writes()  # those of another user
    team.declare()
    team.limit(int(floor / 2))
    total = json.loads(team.run("plan", "--json", code=3).out)["cost"]["after"]
    assert abs(Fraction(total["floor"]["per_month"]) - floor) < Fraction(1, 10**6)
    assert abs(Fraction(total["ceiling"]["per_month"]) - ceiling) < Fraction(1, 10**6)
    refused = team.run("plan", code=3)
    assert f"${float(floor):,.2f}" in refused.out
    assert "--allow-over-budget" in refused.err
    team.apply(code=3)
    assert team.writes() == []

    team.limit(int(floor * 2))
    team.apply()
    writes = team.writes()
    assert sorted(writes[:2]) == ["auth_save", "storage_create"]
    assert writes[2:] == ["prewarm_create", "create", "create"]
    assert "No changes." in team.run("plan").out

    (old,) = team.account("auths")
    team.sandbox.monkeypatch.setenv("GHCR_TOKEN", SECOND)
    assert team.run("plan", "-v", *REPORTS).out.count("rotated: 2 endpoints follow") == 1
    team.apply()
    writes = team.writes()
    assert writes[:3] == ["auth_save", "update", "update"]
    assert set(writes[3:]) == {"auth_delete"}  # refused while Novita takes it as in use, and repeated
    (new,) = team.account("auths")
    assert (new["id"] != old["id"], new["password"]) == (True, SECOND)
    assert {one["image"]["authId"] for one in team.sandbox.live().values()} == {new["id"]}
    assert "No changes." in team.run("plan").out

    team.declare(size=300)
    team.apply()
    assert team.writes() == ["storage_update"]
    assert "No changes." in team.run("plan").out

    consent = ("--allow-storage-delete", "weights")
    team.run("destroy", "-v", "--auto-approve", *consent, code=3)
    team.declare(size=300, protected=False)
    team.apply()
    assert "300 GB in us-dallas-nas-2" in team.run("destroy", "-v", "--auto-approve", code=3).err
    assert team.writes() == []
    team.run("destroy", "-v", "--auto-approve", *consent)
    writes = team.writes()
    assert writes[:2] == ["delete", "delete"]
    assert set(writes[2:]) == {"auth_delete", "storage_delete"}
    assert (team.sandbox.live(), team.account("auths")) == ({}, [])
    assert [one["storageName"] for one in team.account("storages")] == ["theirs"]
    assert set(REPORTS[1::2]) <= set(team.sandbox.files())
    team.require_secrecy()


def test_the_account_of_a_team_is_imported(team: Team) -> None:
    """Another folder that imports all of it has nothing to change, and names what it shares."""
    team.declare()
    team.limit(10**6)
    team.apply()
    folder = team.sandbox.root / "imported"
    folder.mkdir()
    team.sandbox.monkeypatch.chdir(folder)
    (folder / "specs.yaml").write_text(json.dumps(SPECS))
    team.run("import", "--all", "--out", "endpoints.yaml", "--env-out", ".env.secrets")
    text = (folder / "endpoints.yaml").read_text()
    assert text.count("imageAuth: ghcr") == text.count("name: weights\n        mountPath") == len(ENDPOINTS)
    assert "No changes." in team.run("plan", "--env-file", ".env.secrets").out
    (folder / ".env.secrets").unlink()
    team.require_secrecy()
