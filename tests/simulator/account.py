"""A simulated account over a socket, with a clock that stands still unless told otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from reconciler.simulator import Profile, Server

from .api import BASE, Clock, body, outcome

DAY = 86_400.0


@dataclass
class Account:
    """`get` and `post` return status and payload; `new_*` insist on success and return the ID."""

    sim: Server
    client: httpx.Client
    clock: Clock = field(default_factory=Clock)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.client.get(path, params=query)
        return answer.status_code, answer.json()

    def post(self, path: str, payload: Any) -> Any:
        answer = self.client.post(path, json=payload)
        return answer.status_code, answer.json()

    def refused(self, path: str, payload: Any) -> tuple[int, str]:
        return outcome(self.post(path, payload))

    def new_endpoint(self, **changes: Any) -> str:
        status, payload = self.post("/endpoint/create", {"endpoint": body(**changes)})
        assert status == 200, payload
        return str(payload["id"])

    def endpoint(self, endpoint_id: str) -> dict[str, Any]:
        status, payload = self.get("/endpoint", id=endpoint_id)
        assert status == 200, payload
        endpoint: dict[str, Any] = payload["endpoint"]
        return endpoint

    def new_auth(self, **changes: Any) -> str:
        known = {one["id"] for one in self.auths()}
        given = {"name": "ghcr.io", "username": "me", "password": "secret", **changes}
        assert self.post("/repository/auth/save", given)[0] == 200
        [new] = {one["id"] for one in self.auths()} - known
        return str(new)

    def auths(self) -> list[dict[str, Any]]:
        status, payload = self.get("/repository/auths")
        assert status == 200
        return list(payload["data"])

    def new_storage(self, **changes: Any) -> str:
        given = {"clusterId": "us-dallas-nas-2", "storageName": "models", "storageSize": 100, **changes}
        status, payload = self.post("/networkstorage/create", given)
        assert status == 200, payload
        return str(payload)

    def storages(self, **query: Any) -> list[dict[str, Any]]:
        status, payload = self.get("/networkstorages/list", pageNo=1, pageSize=100, **query)
        assert status == 200, payload
        return list(payload["data"])


@contextmanager
def account(state: Path | None = None, clock: Clock | None = None, **switches: Any) -> Iterator[Account]:
    """Yield an account with these switches, kept in the file `state` if there is one."""
    clock = clock or Clock()
    headers = {"Authorization": "Bearer test"}
    with (
        Server(profile=Profile(**switches), state=state, clock=clock) as sim,
        httpx.Client(base_url=sim.url + BASE, headers=headers, timeout=5) as client,
    ):
        yield Account(sim, client, clock)
