"""Metrics of `run`, for several environments in one process."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from prometheus_client.parser import text_string_to_metric_families

from reconciler.controller.notify.delivery import DeliveryCounts
from reconciler.controller.observer import UNOBSERVED, Observers, RoundEnd
from reconciler.controller.state import EndpointSync, RoundResult, SyncState, SyncStatus, WaitingPlan
from reconciler.model.plan import Plan
from reconciler.novita.http.client import CallInfo
from reconciler.server.controller_metrics import ControllerMetrics
from tests import builders

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
STATE = SyncState(
    environment="prod",
    leader="deploy@a (pid 1)",
    revision="c0ffee",
    succeeded_at=NOW,
    result=RoundResult.SUCCESS,
    endpoints=(
        EndpointSync(address="novita_endpoint.chat", status=SyncStatus.DRIFTED, drifted_fields=2),
        EndpointSync(address="novita_network_storage.models", status=SyncStatus.SYNCED),
    ),
)
CALL = CallInfo(method="GET", path="/gpu-instance/openapi/v1/endpoints", status=200, seconds=0.1, attempt=1)


def samples(metrics: ControllerMetrics) -> dict[tuple[str, ...], float]:
    """Return the values by name without prefix, environment, and other labels as named."""
    return {
        (
            sample.name.removeprefix("novita_reconciler_"),
            *sorted(sample.labels.values(), key=lambda value: value not in ("prod", "dev", "a", "b")),
        ): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def plan_with_a_worker() -> Plan:
    workers = [{"id": "w-1", "state": {"state": "running"}, "healthy": True}]
    live = builders.live("chat")
    live = replace(live, raw={**live.raw, "workers": workers})
    return builders.plan([builders.endpoint("chat")], live=[live])


def test_a_round_is_counted_for_its_environment() -> None:
    metrics = ControllerMetrics()
    prod, dev = metrics.observer("prod"), metrics.observer("dev")
    prod.call(CALL)
    prod.call(replace(CALL, status=429))
    prod.call(replace(CALL, status=None))
    with prod.span("round"):
        pass
    prod.ended(RoundEnd(state=STATE, seconds=0.3, balance=Decimal("12.50")))
    dev.ended(
        RoundEnd(state=replace(STATE, environment="dev", result=RoundResult.ERROR, revision=""), seconds=2)
    )
    found = samples(metrics)
    assert found["reconcile_total", "prod", "success"] == 1
    assert found["reconcile_total", "dev", "error"] == 1
    assert found["reconcile_duration_seconds_bucket", "prod", "0.5"] == 1
    assert found["reconcile_duration_seconds_sum", "dev"] == 2
    assert found["last_success_timestamp_seconds", "prod"] == NOW.timestamp()
    assert found["source_revision_info", "prod", "c0ffee"] == 1
    assert not [key for key in found if key[:2] == ("source_revision_info", "dev")]
    assert (found["leader", "prod"], found["leader", "dev"]) == (1, 1)
    assert found["endpoint_info", "prod", "chat", "", "drifted"] == 1
    assert found["endpoint_info", "dev", "novita_network_storage.models", "", "synced"] == 1
    assert found["drifted_fields", "prod", "chat"] == 2
    assert found["api_requests_total", "prod", "GET", CALL.path, "200"] == 1
    assert found["api_requests_total", "prod", "GET", CALL.path, "none"] == 1
    assert (found["api_throttled_total", "prod"], found["api_throttled_total", "dev"]) == (1, 0)
    assert found["balance_usd", "prod"] == 12.5
    assert (found["plan_waiting", "prod"], found["paused", "prod"]) == (0, 0)
    assert not [key for key in found if key[0] in ("cost_floor_usd_per_hour", "notifications_total")]
    assert [key[0] for key in found if key[0] == "info"] == ["info"]


def test_series_of_what_is_gone_end() -> None:
    metrics = ControllerMetrics()
    observer = metrics.observer("prod")
    waiting = WaitingPlan(digest="d", since=NOW, revision="c0ffee", summary="1 to add")
    observer.ended(RoundEnd(state=replace(STATE, waiting=waiting, paused=("a guard",))))
    assert samples(metrics)["plan_waiting", "prod"] == samples(metrics)["paused", "prod"] == 1
    observer.ended(RoundEnd(state=replace(STATE, endpoints=(), revision="beef")))
    found = samples(metrics)
    assert not [key for key in found if key[0] in ("endpoint_info", "drifted_fields")]
    assert [key[2] for key in found if key[0] == "source_revision_info"] == ["beef"]


def test_workers_are_counted_by_state_and_kept_while_the_account_cannot_be_read() -> None:
    metrics = ControllerMetrics()
    observer = metrics.observer("prod")
    observer.ended(RoundEnd(state=STATE, plan=plan_with_a_worker()))
    observer.ended(RoundEnd(state=STATE))
    found = samples(metrics)
    assert found["workers", "prod", "chat", "running"] == 1
    assert found["endpoint_info", "prod", "chat", "true", "drifted"] == 1
    observer.ended(RoundEnd(state=STATE, is_leader=False))
    found = samples(metrics)
    assert found["leader", "prod"] == 0
    assert not [key for key in found if key[0] == "workers"]
    assert found["reconcile_total", "prod", "success"] == 2, "a standby makes no round"


def test_notifications_are_counted() -> None:
    metrics = ControllerMetrics()
    metrics.notifications = lambda: DeliveryCounts(delivered=3, dropped=1, waiting=2)
    found = samples(metrics)
    assert found["notifications_total", "delivered"] == 3
    assert found["notifications_total", "dropped"] == 1
    assert found["notifications_queued",] == 2


def test_a_thousand_rounds_and_revisions_add_no_series() -> None:
    metrics = ControllerMetrics()
    observer = metrics.observer("prod")
    observer.ended(RoundEnd(state=STATE))
    before = len(samples(metrics))
    for number in range(1000):
        observer.ended(RoundEnd(state=replace(STATE, revision=f"{number:040x}")))
    assert len(samples(metrics)) == before


def test_several_observers_are_one_and_none_is_nothing() -> None:
    metrics = ControllerMetrics()
    both = Observers((metrics.observer("a"), metrics.observer("b")))
    with both.span("round", changes=1), UNOBSERVED.span("round"):
        both.call(CALL)
        UNOBSERVED.call(CALL)
    both.ended(RoundEnd(state=STATE))
    UNOBSERVED.ended(RoundEnd(state=STATE))
    found = samples(metrics)
    assert found["leader", "a"] == found["leader", "b"] == 1
