"""The endpoints of an account, by ID and by app name, and their changes over time."""

import hashlib
import math
import string
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from reconciler.simulator.api import Refusal
from reconciler.simulator.endpoint import Endpoint, needs_new_workers
from reconciler.simulator.profile import Profile
from reconciler.simulator.validation import Settings
from reconciler.simulator.workers import Worker, boot_seconds, roll, settle

_ALPHABET = string.digits + string.ascii_letters


class Fleet:
    """Endpoints in the order of their creation. Not thread-safe: the world holds the lock.

    IDs are made of a salt and a counter. Both are stored, so that no ID is used twice, even after a restart
    with the same seed.
    """

    def __init__(self, salt: int) -> None:
        self.has_warm: Callable[[Settings, float], bool] = lambda _settings, _now: False
        """Tells whether the image of an endpoint is in its cluster already."""
        self._salt = salt
        self._count = 0
        self._endpoints: dict[str, Endpoint] = {}
        self._owners: dict[str, str] = {}
        self._deleted: set[str] = set()
        # Settings that were replaced or removed, with the time (epoch seconds), oldest first.
        self._past: list[tuple[float, Settings]] = []

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._endpoints.values())

    def __len__(self) -> int:
        return len(self._endpoints)

    def __getitem__(self, endpoint_id: str) -> Endpoint:
        return self._endpoints[endpoint_id]

    def get(self, endpoint_id: str) -> Endpoint | None:
        return self._endpoints.get(endpoint_id)

    def new_id(self, style: str = "hex16") -> str:
        self._count += 1
        digest = hashlib.blake2b(f"{self._salt}:{self._count}".encode(), digest_size=16).digest()
        if style == "hex16":
            return digest[:8].hex()
        return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:12])

    def worker_id(self) -> str:
        return "w-" + self.new_id()[:12]

    def add(self, settings: Settings, now: float, profile: Profile) -> Endpoint:
        """Create an endpoint. Its app name defaults to the ID and must be unique."""
        endpoint_id = self.new_id(profile.id_style)
        settings = {**settings, "appName": settings["appName"] or endpoint_id}
        self._claim(settings["appName"], endpoint_id)
        endpoint = Endpoint(id=endpoint_id, settings=settings, created=now, updated=now)
        self._endpoints[endpoint_id] = endpoint
        self.settle(endpoint, now, profile)
        return endpoint

    def change(
        self, endpoint: Endpoint, settings: Settings, now: float, profile: Profile, *, lag: float = 0.0
    ) -> None:
        """Replace the settings. Reads answer the old ones for another `lag` seconds."""
        before = endpoint.settings
        if settings["appName"] != before["appName"]:
            self._claim(settings["appName"], endpoint.id)
            del self._owners[before["appName"]]
        is_late = lag or profile.list_behind_seconds or profile.get_behind_seconds
        endpoint.before = endpoint.shown(now) if is_late else None
        endpoint.visible = now + lag
        endpoint.settings = settings
        endpoint.updated = now
        self._remember(before, now, profile)
        if needs_new_workers(before, settings):
            boot = boot_seconds(profile, warm=self.has_warm(settings, now))
            roll(endpoint.workers, now=now, boot=boot, overlap=profile.rolling_overlap)
        self.settle(endpoint, now, profile)

    def delete(self, endpoint: Endpoint, now: float, profile: Profile) -> None:
        """Stop the workers. `sweep` removes the endpoint and its app name after the terminating time."""
        endpoint.deleted = now
        self._deleted.add(endpoint.id)
        self.settle(endpoint, now, profile)
        self.sweep(now, profile)

    def sweep(self, now: float, profile: Profile) -> None:
        """Remove deleted endpoints after their terminating time, when no read shows them any more."""
        shown = now - max(profile.list_behind_seconds, profile.get_behind_seconds)
        for endpoint_id in list(self._deleted):
            endpoint = self._endpoints[endpoint_id]
            if endpoint.is_removed(shown, profile):
                self._deleted.discard(endpoint_id)
                del self._owners[endpoint.settings["appName"]]
                del self._endpoints[endpoint_id]
                self._remember(endpoint.settings, now, profile)

    def settle(self, endpoint: Endpoint, now: float, profile: Profile) -> None:
        """Start or stop workers as the settings and the account require."""
        settle(
            endpoint.workers,
            wanted=endpoint.wanted(now, profile),
            now=now,
            in_stock=not (profile.no_stock or profile.worker_error),
            warm=self.has_warm(endpoint.settings, now),
            new_id=self.worker_id,
        )

    def worker(self, worker_id: str, now: float) -> Worker | None:
        """Return the worker with an ID, or None if it does not exist any more."""
        for endpoint in self:
            for worker in endpoint.workers:
                if worker.id == worker_id and not worker.is_removed(now):
                    return worker
        return None

    def uses(self, test: Callable[[Settings], bool], *, after: float = math.inf) -> bool:
        """Return whether the test holds for an endpoint, or held for one after that time (epoch seconds)."""
        past = (settings for moment, settings in self._past if moment > after)
        return any(test(settings) for settings in chain((endpoint.settings for endpoint in self), past))

    def _remember(self, settings: Settings, now: float, profile: Profile) -> None:
        if profile.in_use_lag_seconds:
            self._past = [one for one in self._past if one[0] > now - profile.in_use_lag_seconds]
            self._past.append((now, settings))

    def dump(self) -> dict[str, Any]:
        """Return the state as plain JSON values that are not changed later."""
        return {
            "salt": self._salt,
            "count": self._count,
            "past": self._past.copy(),
            "endpoints": [
                {
                    "id": endpoint.id,
                    "settings": endpoint.settings,
                    "created": endpoint.created,
                    "updated": endpoint.updated,
                    "deleted": endpoint.deleted,
                    "before": endpoint.before,
                    "visible": endpoint.visible,
                    "asked": endpoint.asked,
                    "workers": [
                        [worker.id, worker.started, worker.retired, worker.drain, worker.warm]
                        for worker in endpoint.workers
                    ],
                }
                for endpoint in self
            ],
        }

    @classmethod
    def load(cls, data: dict[str, Any]) -> "Fleet":
        fleet = cls(data["salt"])
        fleet._count = data["count"]
        fleet._past = [(moment, settings) for moment, settings in data.get("past", ())]
        for stored in data["endpoints"]:
            workers = [
                Worker(
                    id=worker_id, started=started, retired=retired, drain=any(rest[:1]), warm=any(rest[1:])
                )
                for worker_id, started, retired, *rest in stored["workers"]
            ]
            endpoint = Endpoint(**{**stored, "workers": workers})
            fleet._endpoints[endpoint.id] = endpoint
            fleet._owners[endpoint.settings["appName"]] = endpoint.id
            if endpoint.deleted is not None:
                fleet._deleted.add(endpoint.id)
        return fleet

    def _claim(self, app_name: str, endpoint_id: str) -> None:
        if app_name in self._owners:
            raise Refusal("SERVERLESS_APP_NAME_IS_EXIST", f"app name {app_name!r} already exists")
        self._owners[app_name] = endpoint_id
