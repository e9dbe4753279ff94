"""One endpoint: its settings, its workers, and its answer under a profile."""

from dataclasses import field
from random import Random
from typing import Any

from reconciler.model.lazy_dataclass import dataclass
from reconciler.simulator.api import CALLS
from reconciler.simulator.profile import Profile
from reconciler.simulator.validation import Settings
from reconciler.simulator.workers import Worker

# The timings of the probe cannot be set (docs create-endpoint). These come from real answers.
PROBE = {"initialDelay": 10, "period": 10, "timeout": 10, "successThreshold": 1, "failureThreshold": 3}

# Settings whose change needs no new workers.
_SCALING = ("minNum", "maxNum", "freeTimeout", "maxConcurrent", "requestTimeout")


@dataclass(slots=True, kw_only=True)
class Endpoint:
    """The state of an endpoint. Times are in epoch seconds.

    `settings` are replaced and never changed in place, because `before` keeps the old ones, which reads
    answer until `visible`.
    """

    id: str
    settings: Settings
    created: float
    updated: float
    deleted: float | None = None
    before: Settings | None = None
    visible: float = 0.0
    workers: list[Worker] = field(default_factory=list)
    asked: float | None = None  # when its URL got the last request

    def shown(self, now: float) -> Settings:
        """Return the settings that reads answer now."""
        return self.before if self.before is not None and now < self.visible else self.settings

    def wanted(self, now: float, profile: Profile) -> int:
        """Return the number of workers that should run: one after a request, for the idle time."""
        config = self.settings["workerConfig"]
        is_awake = self.asked is not None and now < self.asked + config["freeTimeout"]
        return min(max(self._kept(profile), is_awake), config["maxNum"]) if self._runs(profile) else 0

    def _kept(self, profile: Profile) -> int:
        """Return the number of workers that run without any request."""
        return int(self.settings["workerConfig"]["minNum"]) if self._runs(profile) else 0

    def _runs(self, profile: Profile) -> bool:
        return self.deleted is None and not profile.is_overdue

    def ready(self, now: float, profile: Profile) -> int:
        """Return the number of workers that answer requests."""
        return sum(worker.state(now, profile) == "running" for worker in self.workers)

    def url(self, origin: str, app_name: str) -> str:
        """Return the URL that serves: below `origin`, or the one that Novita would give without an origin."""
        name = f"{self.id}-{app_name}"
        return f"{origin}{CALLS}{name}" if origin else f"https://{name}.runsync.novita.dev"

    def is_removed(self, now: float, profile: Profile) -> bool:
        """Return whether a read that shows the time `now` does not show the endpoint any more."""
        return self.deleted is not None and now >= self.deleted + profile.terminating_seconds

    def state(self, now: float, profile: Profile) -> tuple[str, str]:
        """Return state and message. An endpoint scaled to zero is serving, as a request starts a worker."""
        if self.deleted is not None and now >= self.deleted:
            return "terminating", ""
        if profile.is_overdue:
            return "stopped", "account overdue"
        if profile.endpoint_state:
            return profile.endpoint_state, ""
        return ("serving" if self.ready(now, profile) >= self._kept(profile) else "initializing"), ""

    def answer(
        self, now: float, profile: Profile, random: Random, behind: float = 0.0, origin: str = ""
    ) -> dict[str, Any]:
        """Return the endpoint as get and list answer it (docs get-endpoint, list-endpoint).

        Updates and deletes are shown as they were `behind` seconds ago. `origin`: see `url`.
        """
        shown = self.shown(now - behind)
        state, message = self.state(now - behind if self.deleted is not None else now, profile)
        number = str if profile.number_style == "string" else int
        port = str if profile.port_style == "string" else int
        scaling, policy, healthy = shown["workerConfig"], shown["policy"], shown["healthy"]
        payload = {
            **shown,
            "id": self.id,
            "state": {"state": state, "error": "", "message": message},
            "url": self.url(origin, shown["appName"]),
            "workerConfig": {
                **scaling,
                "freeTimeout": number(scaling["freeTimeout"]),
                "maxConcurrent": number(scaling["maxConcurrent"]),
            },
            "policy": {"type": policy["type"], "value": number(policy["value"])},
            "ports": [{"port": port(one["port"])} for one in shown["ports"]],
            "envs": _ordered(shown["envs"], profile, random),
            "workers": [
                worker.answer(now, profile)
                for worker in self.workers
                if profile.tombstones or not worker.is_removed(now)
            ],
            "healthy": None if profile.healthy_null or healthy is None else {**healthy, **PROBE},
            "log": f"https://logs.novita.invalid/{self.id}",
            "createdAt": str(int(self.created)),
            "updatedAt": str(int(self.updated)),
        }
        if profile.empty_as != "list":
            _drop_empty(payload, profile)
        if profile.extra_fields:
            payload |= {"creator": "somebody", "billingMode": "second", "labels": {"tier": "standard"}}
            payload["workerConfig"]["priority"] = 7
        return payload


def needs_new_workers(before: Settings, after: Settings) -> bool:
    """Return whether a change of settings replaces the workers."""

    def relevant(settings: Settings) -> Settings:
        fixed = {name: value for name, value in settings.items() if name not in ("name", "policy")}
        worker_config = settings["workerConfig"]
        fixed["workerConfig"] = {name: worker_config[name] for name in worker_config if name not in _SCALING}
        return fixed

    return relevant(before) != relevant(after)


def _ordered(envs: list[Settings], profile: Profile, random: Random) -> list[Settings]:
    if profile.env_order == "reversed":
        return envs[::-1]
    if profile.env_order == "shuffled":
        return random.sample(envs, len(envs))
    return envs


def _drop_empty(payload: dict[str, Any], profile: Profile) -> None:
    for name in ("envs", "volumeMounts", "workers"):
        if not payload[name]:
            if profile.empty_as == "null":
                payload[name] = None
            else:
                del payload[name]
