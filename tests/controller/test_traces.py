"""Traces are off by default, cost nothing then, and reach a collector without a secret."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from types import SimpleNamespace

import pytest

from reconciler.controller.observer import RoundEnd
from reconciler.controller.state import RoundResult, SyncState
from reconciler.controller.traces import Traces, is_enabled, start_traces
from reconciler.novita.http.client import CallInfo
from tests.controller.collector import attributes, collector

__all__ = ["collector"]

CALL = CallInfo(
    method="GET", path="/gpu-instance/openapi/v1/endpoints", status=200, seconds=0.25, attempt=1,
    message="a-secret-message",
)  # fmt: skip


def traces(lines: list[str] | None = None) -> Traces:
    made = start_traces(os.environ, (lines if lines is not None else []).append)
    assert made is not None
    return made


def test_a_round_its_steps_and_its_calls_are_spans(collector: SimpleNamespace) -> None:
    made = traces()
    observer = made.observer("prod")
    with observer.span("round"):
        with observer.span("plan"):
            observer.call(CALL)
        with observer.span("apply", changes=3):
            pass
        state = SyncState(environment="prod", revision="c0ffee", result=RoundResult.SUCCESS)
        observer.ended(RoundEnd(state=state))
    made.close()
    spans = {span.name: span for span in collector.spans}
    call = f"GET {CALL.path}"
    assert set(spans) == {"round", "plan", "apply", call}
    assert {span.trace_id for span in collector.spans} == {spans["round"].trace_id}
    assert spans["plan"].parent_span_id == spans["apply"].parent_span_id == spans["round"].span_id
    assert spans[call].parent_span_id == spans["plan"].span_id
    assert spans["round"].parent_span_id == b""
    assert attributes(spans["round"]) == {
        "reconciler.environment": "prod",
        "reconciler.revision": "c0ffee",
        "reconciler.result": "success",
        "reconciler.endpoints": 0,
    }
    assert attributes(spans["apply"])["reconciler.changes"] == 3
    assert attributes(spans[call]) == {
        "http.request.method": "GET",
        "url.path": CALL.path,
        "http.request.resend_count": 0,
        "http.response.status_code": 200,
        "reconciler.environment": "prod",
    }
    assert spans[call].end_time_unix_nano - spans[call].start_time_unix_nano == 250_000_000
    (path, headers, body) = collector.requests[0]
    assert (path, headers["x-token"]) == ("/v1/traces", "a-secret-header")
    assert b"a-secret" not in body


def test_a_failure_is_marked_without_its_text(collector: SimpleNamespace) -> None:
    made = traces()
    observer = made.observer("")

    def failing_round() -> None:
        with observer.span("round"):
            observer.call(CallInfo(method="POST", path="/p", status=None, seconds=0.0, attempt=2))
            observer.call(CallInfo(method="POST", path="/q", status=429, seconds=0.0, attempt=2))
            raise ValueError("a-secret-text")

    with pytest.raises(ValueError, match="a-secret"):
        failing_round()
    with observer.span("round"):
        pass
    made.close()
    errors = {span.name: attributes(span).get("error.type") for span in collector.spans}
    assert errors == {"POST /p": "no answer", "POST /q": "429", "round": None}
    failed = [span for span in collector.spans if span.status.code == 2]
    assert {span.name for span in failed} == {"POST /p", "POST /q", "round"}
    assert len({span.trace_id for span in collector.spans}) == 2, "each round is a trace of its own"
    assert not [request for request in collector.requests if b"a-secret" in request[2]]


def test_a_call_outside_of_a_round_is_no_trace(collector: SimpleNamespace) -> None:
    made = traces()
    observer = made.observer("prod")
    observer.call(CALL)
    observer.ended(RoundEnd(state=SyncState(environment="prod")))
    made.close()
    assert collector.spans == []


@pytest.mark.parametrize("answers", [True, False], ids=["silent", "closed"])
def test_a_collector_that_is_away_delays_the_end_only_a_little(
    monkeypatch: pytest.MonkeyPatch, silent_server: str, answers: bool
) -> None:
    url = silent_server if answers else "http://127.0.0.1:9/a-secret-path"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    lines: list[str] = []
    made = traces(lines)
    with made.observer("prod").span("round"):
        pass
    start = time.monotonic()
    made.close(0.3)
    assert time.monotonic() - start < 2
    assert not [line for line in lines if "secret" in line]


@pytest.mark.parametrize(
    ("environ", "enabled"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
        ({"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
    ],
)
def test_only_variables_of_opentelemetry_turn_traces_on(environ: Mapping[str, str], enabled: bool) -> None:
    assert is_enabled(environ) is enabled
    if not enabled:
        assert start_traces(environ, pytest.fail) is None


def test_an_exporter_that_is_not_there_is_reported() -> None:
    lines: list[str] = []
    assert start_traces({"OTEL_TRACES_EXPORTER": "zipkin"}, lines.append) is None
    assert lines == ["there are no traces: OTEL_TRACES_EXPORTER is none of otlp, console, none"]


WITHOUT_PACKAGES = """
import sys
sys.modules["opentelemetry"] = None
from reconciler.controller.traces import start_traces
print(start_traces({}, print), start_traces({"OTEL_TRACES_EXPORTER": "otlp"}, print))
print([name for name in sys.modules if name.startswith(("opentelemetry.", "requests"))])
"""


def test_without_the_extra_the_controller_says_what_to_install() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PACKAGES], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "there are no traces, although variables of OpenTelemetry are set: python -m pip install"
        " 'novita-reconciler[otel]'   (in a checkout: '.[otel]')",
        "None None",
        "[]",
    ]
