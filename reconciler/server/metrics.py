"""Metrics in the text format of Prometheus, about the account, the calls to Novita and the requests.

`reconciler.server.controller_metrics` has those of `run`.
"""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Iterable, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from reconciler import __version__
from reconciler.novita.http.client import TOO_MANY_REQUESTS, CallInfo
from reconciler.server.account_cache import AccountCache, Snapshot

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
PREFIX: Final = "novita_reconciler"


class RequestMetrics:
    """The metrics of the requests to one server, and a registry for others. Thread-safe."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = self.counter("http_requests", "Answered requests.", "method", "route", "status")
        self._seconds = self.histogram(
            "http_request_duration_seconds", "Time to answer a request.", "method", "route"
        )
        self._running = Gauge(
            f"{PREFIX}_http_requests_in_flight", "Requests in flight.", registry=self.registry
        )

    def begin(self) -> None:
        """Count a request that begins."""
        self._running.inc()

    def end(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request. `route` is the path with the names of its parameters."""
        self._running.dec()
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def count_change(self, result: str) -> None:
        """Count a change that was asked for over HTTP. A controller counts its rounds instead."""

    def text(self) -> bytes:
        """Return all metrics."""
        return generate_latest(self.registry)

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        """Return a new counter; its name gets the prefix, and `_total` at its end."""
        return Counter(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def histogram(
        self, name: str, text: str, *labels: str, buckets: Sequence[float] = Histogram.DEFAULT_BUCKETS
    ) -> Histogram:
        """Return a new histogram; its name gets the prefix."""
        return Histogram(f"{PREFIX}_{name}", text, labels, registry=self.registry, buckets=buckets)


class Metrics(RequestMetrics):
    """The metrics of `serve`. Thread-safe."""

    def __init__(self, cache: AccountCache) -> None:
        super().__init__()
        self.registry.register(_AccountCollector(cache))
        self._calls = self.counter("api_requests", "Calls to Novita.", "method", "path", "status")
        self._throttled = self.counter("api_throttled", "Calls that Novita throttled.")
        self._changes = self.counter("reconcile", "Changes asked for over HTTP, by result.", "result")

    def count_call(self, call: CallInfo) -> None:
        """Count a call to Novita."""
        self._calls.labels(call.method, call.path, str(call.status or "none")).inc()
        if call.status == TOO_MANY_REQUESTS:
            self._throttled.inc()

    def count_change(self, result: str) -> None:
        """Count a change: success, no_change, refused or error."""
        self._changes.labels(result).inc()


class _AccountCollector(Collector):
    """Metrics of the last snapshot, so that endpoints that are gone leave no series behind."""

    def __init__(self, cache: AccountCache) -> None:
        self._cache = cache

    def collect(self) -> Iterable[GaugeMetricFamily | InfoMetricFamily]:
        yield InfoMetricFamily(PREFIX, "The release of the server.", value={"version": __version__})
        snapshot = self._cache.latest
        if snapshot is None:
            return
        yield GaugeMetricFamily(
            f"{PREFIX}_last_success_timestamp_seconds",
            "Time of the last complete listing of the account.",
            value=snapshot.taken_at.timestamp(),
        )
        yield from _endpoint_metrics(snapshot)


def _endpoint_metrics(snapshot: Snapshot) -> Iterable[GaugeMetricFamily]:
    endpoints = GaugeMetricFamily(
        f"{PREFIX}_endpoint_info",
        "An endpoint of the account, always 1.",
        labels=("endpoint", "status", "managed", "ready"),
    )
    workers = GaugeMetricFamily(
        f"{PREFIX}_workers", "Workers of an endpoint by state.", labels=("endpoint", "state")
    )
    wanted = GaugeMetricFamily(
        f"{PREFIX}_workers_wanted", "Least and most workers of an endpoint.", labels=("endpoint", "bound")
    )
    merged = {info.name: info for info in snapshot.infos}  # several endpoints may have one name
    for name, info in merged.items():
        ready = "true" if info.ready_replicas >= max(info.min_replicas, 1) else "false"
        managed = info.managed.value if info.managed else ""
        endpoints.add_metric((name, info.status.value, managed, ready), 1)
        for state, count in sorted(Counts(worker.state for worker in info.workers).items()):
            workers.add_metric((name, state), count)
        wanted.add_metric((name, "min"), info.min_replicas)
        wanted.add_metric((name, "max"), info.max_replicas)
    return endpoints, workers, wanted


async def metrics_page(request: Request) -> Response:
    """Answer with all metrics. An account that cannot be listed is no error: its time stays behind."""
    metrics = request.app.state.metrics
    assert isinstance(metrics, RequestMetrics)
    if isinstance(metrics, Metrics):  # those of a controller are about its rounds
        request.app.state.service.cache.note_request()
    return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE})
