"""Metrics, readiness and the access log."""

from __future__ import annotations

import json

from prometheus_client.parser import text_string_to_metric_families

from reconciler.simulator import Server, parse_fault

from .conftest import Start

ALL = "/api/v1/endpoints"


def test_metrics_tell_of_the_account_the_calls_and_the_requests(start: Start) -> None:
    server = start("--allow-unauthenticated-writes")
    body = {"endpoint": "probe", "specName": "novita-5090-single", "image": "a:1", "replicas": 2}
    assert server.ask("POST", ALL, body).status == 200
    assert server.ask("POST", ALL, body).status == 500
    assert server.ask("PATCH", f"{ALL}/probe/deployment", {"replicas": 2}).status == 200
    server.get(ALL)
    server.get("/a/path/that/anybody/may/choose")
    answer = server.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = {
        (sample.name.removeprefix("novita_reconciler_"), *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["reconcile_total", "success"] == 1
    assert samples["reconcile_total", "refused"] == 1
    assert samples["reconcile_total", "no_change"] == 1
    assert samples["endpoint_info", "Running", "imperative", "probe", "true"] == 1
    assert samples["workers", "probe", "running"] == 2
    assert samples["workers_wanted", "max", "probe"] == 2
    assert samples["last_success_timestamp_seconds",] > 1.7e9
    assert samples["http_requests_total", ALL, "200", "GET"] == 1
    assert samples["http_requests_total", "404", "other", "other"] == 1
    assert sum(value for name, value in samples.items() if name[0] == "api_requests_total") > 3
    assert "anybody" not in answer.text


def test_a_server_is_ready_if_the_account_can_be_listed(start: Start, sim: Server) -> None:
    server = start()
    assert server.get("/readyz").json == {"status": "ok"}
    assert server.get("/healthz").json == {"status": "ok"}
    sim.faults.add(parse_fault("list:403:always"))
    assert server.get(f"{ALL}?fresh=1").status == 500
    answer = server.get("/readyz")
    assert (answer.status, answer.json["hint"] != "") == (503, True)
    assert server.get(ALL).status == 200  # the last listing
    assert server.get("/healthz").status == 200


def test_the_access_log_has_one_line_of_json_for_each_request(start: Start) -> None:
    server = start()
    server.get(f"{ALL}?fresh=1&secret=a-secret")
    server.ask("POST", "/api/v1/x\ny".replace("\n", "%0A"), b"a-secret")
    server.stop()
    text = server.log.read_text()
    assert "a-secret" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", ALL, 200), ("POST", "/api/v1/x\ny", 404),
    ]  # fmt: skip
    assert set(lines[0]) == {"time", "method", "path", "status", "ms", "bytes", "client", "who"}


def test_quiet_logs_no_request(start: Start) -> None:
    server = start("--quiet")
    server.get(ALL)
    server.stop()
    assert server.log.read_text() == ""
