"""A caller of a world without sockets, with a clock that stands still unless told otherwise."""

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from reconciler.simulator import Profile, Request, World

BASE = "/gpu-instance/openapi/v1"
AUTH = {"authorization": "Bearer test"}


@dataclass
class Clock:
    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def body(**changes: Any) -> dict[str, Any]:
    """A create body's endpoint with everything required, changed; a change to None leaves the field out."""
    endpoint = {
        "name": "sd-prod",
        "workerConfig": worker_config(),
        "ports": [{"port": 8000}],
        "policy": {"type": "queue", "value": 60},
        "image": {"image": "registry.example.com/sd:1"},
        "products": [{"id": "SL-serverless-3"}],
        "rootfsSize": 100,
        "clusterID": "us-dallas-nas-2",
        "envs": [{"key": "MODEL", "value": "sdxl"}],
        "healthy": {"path": "/health"},
        **changes,
    }
    return {name: value for name, value in endpoint.items() if value is not None}


def worker_config(**changes: Any) -> dict[str, Any]:
    config = {
        "minNum": 1,
        "maxNum": 3,
        "freeTimeout": 300,
        "maxConcurrent": 1,
        "gpuNum": 1,
        "requestTimeout": 120,
        **changes,
    }
    return {name: value for name, value in config.items() if value is not None}


@dataclass
class Api:
    """`get` and `post` return status and payload; `create` and `read` insist on success."""

    world: World
    clock: Clock = field(default_factory=Clock)

    @classmethod
    def of(cls, profile: Profile | None = None, **switches: Any) -> "Api":
        clock = Clock()
        return cls(World(profile or Profile(**switches), clock=clock, random=Random(1)), clock)

    def send(self, method: str, path: str, *, data: bytes = b"", headers: Any = AUTH, **query: Any) -> Any:
        texts = {name: str(value) for name, value in query.items()}
        response = self.world.handle(
            Request(method=method, path=BASE + path, query=texts, headers=headers, body=data)
        )
        return response.status, json.loads(response.body)

    def get(self, path: str, **query: Any) -> Any:
        return self.send("GET", path, **query)

    def post(self, path: str, payload: Any) -> Any:
        return self.send("POST", path, data=json.dumps(payload).encode())

    def create(self, **changes: Any) -> str:
        status, payload = self.post("/endpoint/create", {"endpoint": body(**changes)})
        assert status == 200, payload
        assert payload.keys() == {"id"}
        return str(payload["id"])

    def try_create(self, **changes: Any) -> tuple[int, str]:
        return outcome(self.post("/endpoint/create", {"endpoint": body(**changes)}))

    def update(self, endpoint_id: str, **changes: Any) -> tuple[int, str]:
        flat = {"id": endpoint_id, **body(products=None, rootfsSize=None)}
        flat = {name: value for name, value in (flat | changes).items() if value is not None}
        return outcome(self.post("/endpoint/update", flat))

    def delete(self, **keys: Any) -> tuple[int, str]:
        return outcome(self.post("/endpoint/delete", keys))

    def read(self, endpoint_id: str) -> dict[str, Any]:
        status, payload = self.get("/endpoint", id=endpoint_id)
        assert status == 200, payload
        endpoint: dict[str, Any] = payload["endpoint"]
        return endpoint

    def names(self, **query: Any) -> list[str]:
        status, payload = self.get("/endpoints", **query)
        assert status == 200, payload
        return [endpoint["name"] for endpoint in payload["endpoints"]]


def outcome(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    """Status and reason; the reason is empty after a success."""
    status, payload = answer
    return status, payload.get("reason", "")


def states(endpoint: dict[str, Any]) -> list[str]:
    return [worker["state"]["state"] for worker in endpoint["workers"]]
