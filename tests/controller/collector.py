"""A collector of traces, which the variables of OpenTelemetry name."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.http_server import http_server


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A collector of OTLP over HTTP, which the environment names."""
    found = SimpleNamespace(requests=[], spans=[])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.requests.append((self.path, dict(self.headers), body))
            request = ExportTraceServiceRequest.FromString(body)
            found.spans += [
                span
                for resource in request.resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            ]
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with http_server(Handler) as port:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-token=a-secret-header")
        yield found


def attributes(span: Any) -> dict[str, Any]:
    """Return the attributes of a span by name."""
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
