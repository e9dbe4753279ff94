"""Storages as they are declared, and the account behind them."""

import json
from typing import Any

from reconciler.simulator import Request
from tests.e2e.sandbox import API, KEY, Sandbox

REGION = "us-dallas-nas-2"


def storage(name: str = "weights", **fields: Any) -> dict[str, Any]:
    """Return a declared storage in the region of the sandbox's specs."""
    return {"name": name, "region": REGION, "sizeGb": 200, **fields}


def unprotected(name: str = "weights", **fields: Any) -> dict[str, Any]:
    """Return a declared storage that a plan may delete."""
    return storage(name, lifecycle={"preventDestroy": False}, **fields)


def call(sandbox: Sandbox, path: str, body: Any = None) -> Any:
    """Return the answer to a request by somebody else, who has the same key."""
    request = Request(
        method="GET" if body is None else "POST",
        path=f"{API}/{path}",
        query={},
        headers={"authorization": f"Bearer {KEY}"},
        body=b"" if body is None else json.dumps(body).encode(),
    )
    return json.loads(sandbox.sim.world.act(request).body)


def live(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    """Return name -> storage of the account."""
    return {one["storageName"]: one for one in call(sandbox, "networkstorages/list")["data"]}


def records(sandbox: Sandbox) -> dict[str, Any]:
    """Return the records of other resources than endpoints, by address."""
    found: dict[str, Any] = json.loads((sandbox.root / "state/novita.json").read_text()).get("resources", {})
    return found
