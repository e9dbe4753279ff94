"""The simulated world: an account with a lock, used by the API and by the web console."""

import copy
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import formatdate
from random import Random
from typing import Any

from reconciler.simulator.account import Account
from reconciler.simulator.api import (
    CALL,
    CALLS,
    UNKNOWN,
    V2,
    WRITES,
    Refusal,
    Request,
    Response,
    answer,
    is_path,
    operation_of,
)
from reconciler.simulator.endpoint import Endpoint
from reconciler.simulator.profile import Profile
from reconciler.simulator.validation import Settings, invalid
from reconciler.simulator.workload import serve

# Between two checks of a held request whether a worker is ready.
HOLD_SECONDS = 0.02

# The known defaults of the console's form, with a valid product and image.
FORM: Mapping[str, Any] = {
    "name": "",
    "appName": "",
    "workerConfig": {
        "minNum": 1,
        "maxNum": 3,
        "freeTimeout": 60,
        "maxConcurrent": 1,
        "gpuNum": 1,
        "requestTimeout": 120,
        "cudaVersion": "",
    },
    "ports": [{"port": 8000}],
    "policy": {"type": "queue", "value": 4},
    "image": {"image": "ubuntu:22.04", "authId": "", "command": ""},
    "products": [{"id": "SL-serverless-3"}],
    "rootfsSize": 100,
    "volumeMounts": [],
    "clusterID": "us-dallas-nas-2",
    "envs": [],
    "healthy": {"path": "/"},
}


class World:
    """One account. `handle` answers the API; `edit` and `console_*` are changes in the web console.

    Thread-safe. `clock` returns epoch seconds, `random` makes IDs and shuffles, `sleep` waits for the
    latency, outside the lock.
    """

    def __init__(
        self,
        profile: Profile | None = None,
        *,
        clock: Callable[[], float] = time.time,
        random: Random | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._account = Account(profile or Profile(), clock, random or Random())
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.RLock()
        self._version = 0

    @property
    def profile(self) -> Profile:
        return self._account.profile

    @property
    def version(self) -> int:
        """A number that grows with each change to save."""
        return self._version

    def switch(self, **changes: Any) -> None:
        """Change switches of the profile from now on."""
        with self._lock:
            self._account.profile = replace(self._account.profile, **changes)

    def serve_at(self, origin: str) -> None:
        """Let the URLs of endpoints begin with this scheme, host and port, where `handle` answers."""
        with self._lock:
            self._account.origin = origin

    def handle(self, request: Request) -> Response:
        """Return the answer of the API to a request, after the latency, or that of an endpoint to its URL."""
        if operation_of(request.method, request.path) == CALL:
            return self._call(request)
        self.delay()
        return self.act(request)

    def _call(self, request: Request) -> Response:
        """Return the answer of a worker, which may have to start first."""
        name, slash, path = request.path.removeprefix(CALLS).partition("/")
        waited = 0.0
        while True:
            with self._lock:
                profile = self.profile
                try:
                    endpoint = self._account.visit(name)
                except Refusal as refusal:
                    return refusal.response()
                self._version += 1
                is_ready = endpoint.ready(self._clock(), profile) > 0
                settings = endpoint.settings
            if is_ready:
                health_path = (settings["healthy"] or {}).get("path", "")
                return serve(request, slash + path or "/", health_path, profile.event_pause_seconds)
            if profile.cold_answer != "hold" or waited >= settings["workerConfig"]["requestTimeout"]:
                status = 504 if profile.cold_answer == "hold" else int(profile.cold_answer)
                return Response(
                    status=status, headers={"content-type": "text/plain"}, body=b"no worker is available\n"
                )
            self._sleep(HOLD_SECONDS)
            waited += HOLD_SECONDS

    def delay(self) -> None:
        """Wait for the latency."""
        if self.profile.latency_seconds:
            self._sleep(self.profile.latency_seconds)

    def act(self, request: Request) -> Response:
        """Return the API's answer to a request at once."""
        with self._lock:
            try:
                response = answer(self._payload(request))
            except Refusal as refusal:
                response = refusal.response(self._error_style(request.path))
            date = formatdate(self._clock(), usegmt=True)
        return replace(response, headers={**response.headers, "date": date})

    @property
    def endpoints(self) -> list[dict[str, Any]]:
        """A copy of all endpoints that are not deleted, with the keys of the API, oldest first."""
        with self._lock:
            return [_snapshot(endpoint) for endpoint in self._account.fleet if endpoint.deleted is None]

    def endpoint(self, endpoint_id: str) -> dict[str, Any]:
        """Return a copy of one endpoint, as in `endpoints`. Raise KeyError if there is none."""
        with self._lock:
            return _snapshot(self._account.fleet[endpoint_id])

    def console_create(self, **fields: Any) -> str:
        """Create an endpoint from the console's form, overridden by `fields`. Return its ID."""
        with self._lock:
            self._version += 1
            return self._account.fleet.add(merged(FORM, fields), self._clock(), self.profile).id

    def console_update(self, endpoint_id: str, **fields: Any) -> None:
        """Override an endpoint's settings by `fields`. Objects are merged, other values replaced."""
        self.edit(endpoint_id, lambda settings: settings.update(merged(settings, fields)))

    def edit(self, endpoint_id: str, mutate: Callable[[Settings], object]) -> None:
        """Let `mutate` change a copy of an endpoint's settings in place, without any check."""
        with self._lock:
            endpoint = self._account.fleet[endpoint_id]
            settings = edited(endpoint.settings, mutate)
            self._account.fleet.change(endpoint, settings, self._clock(), self.profile)
            self._version += 1

    def console_delete(self, endpoint_id: str) -> None:
        """Delete an endpoint. Raise KeyError if there is none."""
        with self._lock:
            self._account.fleet.delete(self._account.fleet[endpoint_id], self._clock(), self.profile)
            self._version += 1

    def dump(self) -> dict[str, Any]:
        """Return the state as plain JSON values, which can be serialized while the world changes."""
        with self._lock:
            return self._account.dump()

    def load(self, data: dict[str, Any]) -> None:
        """Replace the state by a dumped one."""
        with self._lock:
            self._account.load(data)

    def _error_style(self, path: str) -> str:
        return self.profile.v2_errors if path.startswith(V2) else "reason"

    def _payload(self, request: Request) -> Any:
        key = self._authorized(request)
        if self._account.pass_time():
            self._version += 1
        name = operation_of(request.method, request.path)
        operation = self._account.operation(name)
        if operation is None:
            if name == UNKNOWN and is_path(request.path):
                raise Refusal("METHOD_NOT_ALLOWED", f"method {request.method} not allowed", status=405)
            raise Refusal("NOT_FOUND", f"page {request.path} not found", status=404)
        if name not in WRITES:
            return operation(request.query)
        if key == self.profile.read_only_key:
            raise Refusal("FORBIDDEN", "this key may not write", status=403)
        # A refused write counts too, because `inactive_tries` may have changed.
        self._version += 1
        return operation(_json_object(request.body))

    def _authorized(self, request: Request) -> str:
        """Return the key of the request. Raise Refusal if it is not accepted."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        key = key.strip()
        known = self.profile.api_key in (None, key) or key == self.profile.read_only_key
        if scheme.lower() != "bearer" or not key or not known:
            # 403 as in a real call without a key; the general error table has 401.
            raise Refusal("INVALID_API_KEY", "invalid api-key", status=403)
        return key


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        raise invalid("body", "not JSON") from None
    if not isinstance(value, dict):
        raise invalid("body", "value must be an object")
    return value


def _snapshot(endpoint: Endpoint) -> dict[str, Any]:
    times = {"createdAt": int(endpoint.created), "updatedAt": int(endpoint.updated)}
    return {"id": endpoint.id, **copy.deepcopy(endpoint.settings), **times}


def merged(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> Settings:
    """Return a copy of the settings with changes. Objects are merged by key, other values replaced."""
    result: Settings = copy.deepcopy(dict(settings))
    for name, value in changes.items():
        old = result.get(name)
        result[name] = merged(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return copy.deepcopy(result)


def edited(settings: Settings, mutate: Callable[[Settings], object]) -> Settings:
    """Return a copy of the settings after `mutate` changed it in place."""
    result = copy.deepcopy(settings)
    mutate(result)
    return result
