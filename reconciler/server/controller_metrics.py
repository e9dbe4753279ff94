"""Metrics of `run` in the text format of Prometheus: rounds, endpoints, calls and notifications.

Every series has the name of its environment, "" without one. No label has an ID. Series of a resource, of a
state of workers and of a revision end with the next round in which they are gone.
"""

from __future__ import annotations

import threading
from collections import Counter as Counts
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from typing import Final, TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from reconciler import __version__
from reconciler.controller.notify.delivery import DeliveryCounts
from reconciler.controller.observer import Observer, RoundEnd
from reconciler.controller.state import SyncState
from reconciler.kinds.registry import KINDS
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Plan
from reconciler.model.resource import ENDPOINT, Live
from reconciler.novita.http.client import TOO_MANY_REQUESTS, CallInfo
from reconciler.server.metrics import PREFIX, RequestMetrics

_BUCKETS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
"""Seconds of rounds. A read takes less than one, an apply that waits for workers takes minutes."""

Families: TypeAlias = Iterator[GaugeMetricFamily | CounterMetricFamily | InfoMetricFamily]


class ControllerMetrics(RequestMetrics):
    """The metrics of a process with one or more environments. Thread-safe.

    notifications: returns how many were delivered and dropped; None if there are no targets.
    """

    def __init__(self) -> None:
        super().__init__()
        self.notifications: Callable[[], DeliveryCounts] | None = None
        self._lock = threading.Lock()
        self._latest: dict[str, _Seen] = {}
        self.calls = self.counter(
            "api_requests", "Calls to Novita.", "environment", "method", "path", "status"
        )
        self.throttled = self.counter("api_throttled", "Calls that Novita throttled.", "environment")
        self.rounds = self.counter("reconcile", "Rounds by result.", "environment", "result")
        self.seconds = self.histogram(
            "reconcile_duration_seconds", "Duration of a round.", "environment", buckets=_BUCKETS
        )
        self.registry.register(_Collector(self))

    def observer(self, environment: str) -> Observer:
        """Return the observer of an environment."""
        return _Observer(self, environment)

    def keep(self, environment: str, end: RoundEnd) -> None:
        """Keep what the last round of an environment found."""
        with self._lock:
            last = self._latest.get(environment)
            self._latest[environment] = _Seen.of(end, last)

    def latest(self) -> Mapping[str, _Seen]:
        """Return what the last round of each environment found."""
        with self._lock:
            return dict(self._latest)


class _Observer:
    """Counts the rounds of one environment."""

    def __init__(self, metrics: ControllerMetrics, environment: str) -> None:
        self._metrics = metrics
        self._environment = environment
        metrics.throttled.labels(environment)  # so that it is 0, and not missing

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    def call(self, call: CallInfo) -> None:
        status = str(call.status or "none")
        self._metrics.calls.labels(self._environment, call.method, call.path, status).inc()
        if call.status == TOO_MANY_REQUESTS:
            self._metrics.throttled.labels(self._environment).inc()

    def ended(self, end: RoundEnd) -> None:
        if end.is_leader and end.state.result:
            self._metrics.rounds.labels(self._environment, end.state.result.value).inc()
            self._metrics.seconds.labels(self._environment).observe(end.seconds)
        self._metrics.keep(self._environment, end)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What a round found. workers: counts by endpoint and state. floor: USD per hour. balance: USD."""

    state: SyncState
    is_leader: bool
    ready: Mapping[str, bool]
    workers: Mapping[str, Mapping[str, int]]
    floor: float | None
    balance: Decimal | None

    @classmethod
    def of(cls, end: RoundEnd, last: _Seen | None) -> _Seen:
        """Return what a round found; what it did not look at is as in the last one."""
        if not end.is_leader:
            last = None  # another process knows more by now
        ready: dict[str, bool] = {}
        workers: dict[str, Mapping[str, int]] = {}
        for address, live in _endpoints(end.plan) if end.plan else ():
            info = KINDS[live.kind].endpoint_info(live)
            ready[address] = info.ready_replicas >= max(info.min_replicas, 1)
            workers[address] = Counts(worker.state for worker in info.workers)
        cost = end.plan.cost if end.plan else None
        if not end.plan and last:
            ready, workers = dict(last.ready), dict(last.workers)
        return cls(
            state=end.state,
            is_leader=end.is_leader,
            ready=ready,
            workers=workers,
            floor=float(cost.before.floor.per_hour) if cost else last.floor if last else None,
            balance=end.balance,
        )


def _endpoints(plan: Plan) -> Iterator[tuple[str, Live]]:
    for change in plan.changes:
        live = getattr(change, "live", None)
        if isinstance(live, Live) and live.kind == ENDPOINT:
            yield change.address, live


class _Collector(Collector):
    """Metrics of the last rounds, so that endpoints that are gone leave no series behind."""

    def __init__(self, metrics: ControllerMetrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily | InfoMetricFamily]:
        yield InfoMetricFamily(PREFIX, "The release of the controller.", value={"version": __version__})
        latest = self._metrics.latest()
        leads = [((name,), float(seen.is_leader)) for name, seen in latest.items()]
        yield _gauge("leader", "1 if this process acts, 0 if another does.", leads, "environment")
        # Another process knows the rest, and shows it as it is now.
        latest = {name: seen for name, seen in latest.items() if seen.is_leader}
        yield from _environment_families(latest)
        yield from _endpoint_families(latest)
        if self._metrics.notifications:
            counts = self._metrics.notifications()
            sent = CounterMetricFamily(
                f"{PREFIX}_notifications", "Notifications by result.", labels=("result",)
            )
            sent.add_metric(("delivered",), counts.delivered)
            sent.add_metric(("dropped",), counts.dropped)
            yield sent
            yield _gauge(
                "notifications_queued", "Notifications that wait for a target.", [((), counts.waiting)]
            )


def _environment_families(latest: Mapping[str, _Seen]) -> Families:
    def values(of: Callable[[_Seen], float | Decimal | None]) -> list[tuple[tuple[str, ...], float]]:
        found = {name: of(seen) for name, seen in latest.items()}
        return [((name,), float(value)) for name, value in found.items() if value is not None]

    yield _gauge(
        "last_success_timestamp_seconds",
        "Time of the last round that succeeded.",
        values(lambda seen: seen.state.succeeded_at.timestamp() if seen.state.succeeded_at else None),
        "environment",
    )
    yield _gauge(
        "plan_waiting", "1 if a plan waits for an approval.", values(lambda seen: bool(seen.state.waiting)),
        "environment",
    )  # fmt: skip
    yield _gauge(
        "paused", "1 if no change is made, for a reason that the page shows.",
        values(lambda seen: bool(seen.state.paused)), "environment",
    )  # fmt: skip
    yield _gauge(
        "source_revision_info",
        "The revision of the files in force, always 1.",
        [((name, seen.state.revision), 1.0) for name, seen in latest.items() if seen.state.revision],
        "environment",
        "commit",
    )
    yield _gauge(
        "cost_floor_usd_per_hour", "Cost with minReplicas of all managed endpoints.",
        values(lambda seen: seen.floor), "environment",
    )  # fmt: skip
    yield _gauge("balance_usd", "Balance of the account.", values(lambda seen: seen.balance), "environment")


def _endpoint_families(latest: Mapping[str, _Seen]) -> Families:
    infos: list[tuple[tuple[str, ...], float]] = []
    drifted: list[tuple[tuple[str, ...], float]] = []
    workers: list[tuple[tuple[str, ...], float]] = []
    for environment, seen in latest.items():
        for one in seen.state.endpoints:
            name = one.address.removeprefix(f"{ENDPOINT}.")
            ready = {True: "true", False: "false", None: ""}[seen.ready.get(one.address)]
            infos.append(((environment, name, one.status.value, ready), 1.0))
            drifted.append(((environment, name), one.drifted_fields))
            counts = seen.workers.get(one.address, {})
            workers += [((environment, name, state), count) for state, count in sorted(counts.items())]
    labels = ("environment", "endpoint")
    yield _gauge("endpoint_info", "A managed resource, always 1.", infos, *labels, "sync", "ready")
    yield _gauge("drifted_fields", "Fields that were changed outside of reconciler.", drifted, *labels)
    yield _gauge("workers", "Workers of an endpoint by state.", workers, *labels, "state")


def _gauge(
    name: str, text: str, samples: Sequence[tuple[tuple[str, ...], float]], *labels: str
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
