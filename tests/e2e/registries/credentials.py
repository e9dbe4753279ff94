"""Credentials as they are declared, as the account has them, and as they are recorded."""

import json
from typing import Any

from reconciler.simulator import Request
from tests.e2e.sandbox import API, KEY, Sandbox

PASSWORD = "s3cret-of-the-hub"
TYPE = "novita_registry"


def credential(name: str = "hub", **fields: Any) -> dict[str, Any]:
    """Return a declared credential, whose password is in HUB_PASSWORD."""
    return {"name": name, "username": "ada", "password": "${env:HUB_PASSWORD}", **fields}


def auths(sandbox: Sandbox) -> list[dict[str, str]]:
    """Return the credentials of the account, oldest first."""
    found: list[dict[str, str]] = sandbox.sim.world.dump()["auths"]
    return found


def save(sandbox: Sandbox, name: str = "hub", username: str = "ada", password: str = PASSWORD) -> str:
    """Save a credential as another user of the account does, and return its ID."""
    before = {one["id"] for one in auths(sandbox)}
    _post(sandbox, "save", name=name, username=username, password=password)
    (new,) = {one["id"] for one in auths(sandbox)} - before
    return new


def delete(sandbox: Sandbox, object_id: str) -> None:
    """Delete a credential as another user of the account does."""
    _post(sandbox, "delete", id=object_id)


def edit(sandbox: Sandbox, object_id: str, **fields: str) -> None:
    """Change values of a credential, as Novita may do in its console."""
    state = sandbox.sim.world.dump()
    state["auths"] = [one | (fields if one["id"] == object_id else {}) for one in state["auths"]]
    sandbox.sim.world.load(state)


def recorded(sandbox: Sandbox) -> dict[str, str]:
    """Return the recorded IDs by address."""
    document = json.loads((sandbox.root / "state/novita.json").read_text())
    return {name: record["id"] for name, record in document.get("resources", {}).items()}


def _post(sandbox: Sandbox, verb: str, **body: str) -> None:
    request = Request(
        method="POST",
        path=f"{API}/repository/auth/{verb}",
        headers={"authorization": f"Bearer {KEY}"},
        body=json.dumps(body).encode(),
    )
    response = sandbox.sim.world.act(request)
    assert response.status == 200, response
