"""The operations of the API on the state of one account."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from random import Random
from typing import Any

from reconciler.simulator.api import Refusal
from reconciler.simulator.endpoint import Endpoint
from reconciler.simulator.fleet import Fleet
from reconciler.simulator.profile import Profile
from reconciler.simulator.resources.auths import Auths
from reconciler.simulator.resources.market import CLUSTERS, INSTANCE_PRODUCTS, find_products, regions
from reconciler.simulator.resources.network_storages import NetworkStorages
from reconciler.simulator.resources.prewarm import Prewarms
from reconciler.simulator.resources.wallet import Wallet
from reconciler.simulator.validation import (
    Settings,
    create_settings,
    invalid,
    optional_text,
    page_bounds,
    require_cluster,
    text_of,
    update_settings,
)

# A drained worker finishes what it has before it goes.
DRAIN_SECONDS = 10.0

Body = Mapping[str, Any]
Query = Mapping[str, str]


class Account:
    """One account. Each operation of `api.ROUTES` is a method from the query or the body to the payload.

    Not thread-safe: the world holds the lock.
    """

    def __init__(self, profile: Profile, clock: Callable[[], float], random: Random) -> None:
        self.profile = profile
        self.clock = clock
        self.fleet = Fleet(random.getrandbits(64))
        self.auths = Auths()
        self.storages = NetworkStorages()
        self.prewarms = Prewarms()
        self.fleet.has_warm = self.prewarms.has_warm
        self.wallet = Wallet()
        self.inactive_tries = 0
        # Scheme, host and port at which this account serves the URLs of its endpoints, if it does.
        self.origin = ""
        self._random = random

    def operation(self, name: str) -> Callable[[Any], Any] | None:
        """Return the method of an operation, or None if the profile does not offer it."""
        profile = self.profile
        hidden = {
            "limit": not profile.limit_offered,
            "drain": not profile.drain_offered,
            "market_products": not profile.market_offered,
            "market_regions": not profile.market_offered,
        }
        if hidden.get(name) or (name.startswith("prewarm") and not profile.prewarm_offered):
            return None
        method: Callable[[Any], Any] | None = getattr(self, f"do_{name}", None)
        return method

    def pass_time(self) -> bool:
        """Let the effects of time happen that no request causes. Return whether something is to save."""
        now = self.clock()
        self.fleet.sweep(now, self.profile)
        return self.wallet.settle(self.storages, now, self.profile)

    def do_create(self, body: Body) -> dict[str, Any]:
        settings = self._accept(create_settings(body, self.profile.request_timeout_fill))
        self.wallet.require_credit(self.profile)
        if self.inactive_tries < self.profile.cluster_inactive_tries:
            self.inactive_tries += 1
            # Users reported this message; its reason is not known.
            raise Refusal("SERVERLESS_CLUSTER_INACTIVE", "serverless cluster is not active")
        self._require_unique_name(settings["name"])
        return {"id": self.fleet.add(settings, self.clock(), self.profile).id}

    def do_get(self, query: Query) -> dict[str, Any]:
        behind = self.profile.get_behind_seconds
        payload = self._answer(self._find(query.get("id", ""), behind), behind)
        return {"endpoint": payload} if self.profile.get_wrapped else payload

    def do_list(self, query: Query) -> dict[str, Any]:
        lag, behind, now = self.profile.list_lag_seconds, self.profile.list_behind_seconds, self.clock()
        listed: Sequence[Endpoint] | Fleet = self.fleet
        if lag or behind or self.profile.get_behind_seconds:
            listed = [
                endpoint
                for endpoint in self.fleet
                if now >= endpoint.created + lag and not endpoint.is_removed(now - behind, self.profile)
            ]
        start, stop = page_bounds(query, "pageNum", len(listed), self.profile, base=self.profile.page_base)
        if self.profile.list_order == "newest":
            listed = list(listed)[::-1]
        return {
            "endpoints": [self._answer(endpoint, behind) for endpoint in islice(listed, start, stop)],
            "total": len(listed) + self.profile.total_offset,
        }

    def do_update(self, body: Body) -> dict[str, Any]:
        endpoint = self._find(text_of(body, "id", max_length=255))
        keep = self.profile.update_omitted == "keep"
        settings, refused = update_settings(
            body, endpoint.settings, keep=keep, request_timeout=self.profile.request_timeout_fill
        )
        self.wallet.require_credit(self.profile)
        if endpoint.deleted is not None:
            raise Refusal("OPERATION_LIMIT", f"endpoint {endpoint.id} is terminating")
        if refused and self.profile.immutable == "refuse":
            raise invalid(refused[0], "value cannot be changed")
        if settings["name"] != endpoint.settings["name"]:
            self._require_unique_name(settings["name"])
        lag = self.profile.update_lag_seconds
        self.fleet.change(endpoint, self._accept(settings), self.clock(), self.profile, lag=lag)
        return {}

    def do_delete(self, body: Body) -> dict[str, Any]:
        # The docs put the ID into `name`, clients of the real API into `id`.
        keys, strict = {
            "either": (("id", "name"), False),
            "id": (("id",), False),
            "name": (("name",), False),
            "strict": (("id",), True),
            "strict-name": (("name",), True),
        }[self.profile.delete_key]
        if strict and (unknown := sorted(body.keys() - set(keys))):
            raise invalid(unknown[0], "unknown field")
        key = next((key for key in keys if body.get(key)), keys[0])
        endpoint = self._find(text_of(body, key, max_length=255))
        if endpoint.deleted is None:
            self.fleet.delete(endpoint, self.clock(), self.profile)
        return {}

    def do_limit(self, _query: Query) -> Mapping[str, Any]:
        return self.profile.limits

    def do_drain(self, body: Body) -> dict[str, Any]:
        now = self.clock()
        worker_id = text_of(body, "workerID", max_length=255)
        worker = self.fleet.worker(worker_id, now)
        if worker is None:
            raise Refusal("SERVERLESS_WORKER_NOT_FOUND", f"worker {worker_id!r} not found")
        worker.drain = body.get("drain") is True
        worker.retired = now + DRAIN_SECONDS if worker.drain else None
        return {}

    def do_clusters(self, _query: Query) -> dict[str, Any]:
        return {"data": CLUSTERS}

    def do_products(self, query: Query) -> dict[str, Any]:
        wanted = query.get("productName", "")
        return {"data": [product for product in INSTANCE_PRODUCTS if wanted in str(product["name"])]}

    def do_market_products(self, query: Query) -> dict[str, Any]:
        return find_products(query, self.profile)

    def do_market_regions(self, _query: Query) -> dict[str, Any]:
        return {"data": regions()}

    def do_balance(self, _query: Query) -> dict[str, str]:
        return self.wallet.balance(self.profile)

    def do_auths(self, _query: Query) -> dict[str, Any]:
        return {"data": list(self.auths.visible(self.clock(), self.profile.reference_lag_seconds))}

    def do_auth_save(self, body: Body) -> dict[str, Any]:
        return self.auths.save(body, self.fleet.new_id(), self.clock(), self.profile)

    def do_auth_delete(self, body: Body) -> dict[str, Any]:
        def in_use(auth_id: str) -> bool:
            return self._is_used(lambda settings: settings["image"]["authId"] == auth_id)

        return self.auths.delete(body, in_use)

    def do_storages(self, query: Query) -> dict[str, Any]:
        return self.storages.page(query, self.clock(), self.profile)

    def do_storage_create(self, body: Body) -> str | dict[str, Any]:
        self.wallet.require_credit(self.profile)
        return self.storages.create(body, self.fleet.new_id, self.clock(), self.profile)

    def do_storage_update(self, body: Body) -> dict[str, Any]:
        self.wallet.require_credit(self.profile)
        return self.storages.update(body)

    def do_storage_delete(self, body: Body) -> dict[str, Any]:
        def in_use(storage_id: str) -> bool:
            return self._is_used(
                lambda settings: any(mount["id"] == storage_id for mount in settings["volumeMounts"])
            )

        return self.storages.delete(body, in_use)

    def do_prewarms(self, query: Query) -> dict[str, Any]:
        return self.prewarms.page(query, self.clock(), self.profile)

    def do_prewarm_create(self, body: Body) -> dict[str, Any]:
        self.wallet.require_credit(self.profile)
        if self.profile.check_references:
            self.auths.check(optional_text(body, "repositoryAuth", max_length=255))
        return self.prewarms.create(body, self.fleet.new_id(), self.clock(), self.profile)

    def do_prewarm_edit(self, body: Body) -> dict[str, Any]:
        return self.prewarms.edit(body)

    def do_prewarm_delete(self, body: Body) -> dict[str, Any]:
        return self.prewarms.delete(body)

    def do_prewarm_quota(self, _query: Query) -> dict[str, int]:
        return self.prewarms.quota(self.clock(), self.profile)

    def dump(self) -> dict[str, Any]:
        """Return the state as plain JSON values that are not changed later."""
        listed = {"auths": self.auths, "storages": self.storages, "prewarms": self.prewarms}
        return {
            "format": 1,
            "inactiveTries": self.inactive_tries,
            "fleet": self.fleet.dump(),
            "overdueSince": self.wallet.overdue_since,
            **{name: list(one.items.values()) for name, one in listed.items()},
            "created": self.auths.created | self.storages.created | self.prewarms.created,
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Replace the state by a dumped one, perhaps of an earlier version."""
        self.inactive_tries = data["inactiveTries"]
        self.fleet = Fleet.load(data["fleet"])
        self.fleet.has_warm = self.prewarms.has_warm
        self.wallet.overdue_since = data.get("overdueSince")
        created = data.get("created", {})
        self.auths.load(data["auths"], created)
        self.storages.load(data["storages"], created)
        self.prewarms.load(data.get("prewarms", []), created)

    def _is_used(self, test: Callable[[Settings], bool]) -> bool:
        return self.fleet.uses(test, after=self.clock() - self.profile.in_use_lag_seconds)

    def _find(self, endpoint_id: str, behind: float = 0.0) -> Endpoint:
        endpoint, now = self.fleet.get(endpoint_id), self.clock()
        if (
            endpoint is None
            or now < endpoint.created + self.profile.get_lag_seconds
            or endpoint.is_removed(now - behind, self.profile)
        ):
            status = self.profile.not_found_status
            message = f"endpoint {endpoint_id!r} not found"
            raise Refusal("SERVERLESS_ENDPOINT_NOT_FOUND", message, status=status)
        return endpoint

    def _answer(self, endpoint: Endpoint, behind: float) -> dict[str, Any]:
        now = self.clock()
        self.fleet.settle(endpoint, now, self.profile)
        return endpoint.answer(now, self.profile, self._random, behind, self.origin)

    def visit(self, name: str) -> Endpoint:
        """Note a request to the URL `<id>-<app name>`, which may start a worker. Return its endpoint."""
        now = self.clock()
        endpoint = self.fleet.get(name.partition("-")[0])
        if (
            endpoint is None
            or endpoint.deleted is not None
            or name != f"{endpoint.id}-{endpoint.settings['appName']}"
        ):
            raise Refusal("NOT_FOUND", f"no endpoint serves {name!r}", status=404)
        endpoint.asked = now
        self.fleet.settle(endpoint, now, self.profile)
        return endpoint

    def _require_unique_name(self, name: str) -> None:
        if self.profile.duplicate_names == "refuse" and self.fleet.uses(lambda one: one["name"] == name):
            raise Refusal("CONFLICT", f"endpoint name {name!r} already exists")

    def _accept(self, settings: Settings) -> Settings:
        """Return the settings to store. Raise Refusal for references that the account does not have."""
        profile = self.profile
        require_cluster(settings["clusterID"], "clusterID", profile)
        if profile.check_references:
            self.auths.check(settings["image"]["authId"])
            self.storages.check(settings)
        if not settings["workerConfig"]["cudaVersion"]:
            settings["workerConfig"]["cudaVersion"] = profile.cuda_fill
        for path, largest in profile.clamp.items():
            _clamp(settings, path, largest)
        return settings


def _clamp(settings: Settings, path: str, largest: int) -> None:
    *parents, last = path.split(".")
    for name in parents:
        settings = settings.get(name, {})
    if last in settings:
        settings[last] = min(settings[last], largest)
