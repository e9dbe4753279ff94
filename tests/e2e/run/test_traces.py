"""The traces of a real round."""

from types import SimpleNamespace

from tests.controller.collector import attributes, collector
from tests.e2e.sandbox import KEY, Sandbox, item

__all__ = ["collector"]

TOKEN = "the-token-of-the-endpoint-0123456789"


def test_a_round_is_traced_down_to_its_calls_without_a_secret(
    sandbox: Sandbox, collector: SimpleNamespace
) -> None:
    sandbox.monkeypatch.setenv("TOKEN", TOKEN)
    sandbox.write("config.yaml", {"novita": {"settle_seconds": 0.05, "sync": {"apply": "auto"}}})
    sandbox.declare(item("chat", env={"TOKEN": "${env:TOKEN}"}))
    assert sandbox.run("run", "--once", "--poll", "0.1s").code == 0
    by_id = {span.span_id: span for span in collector.spans}
    names = {span.name for span in collector.spans}
    assert {"round", "plan", "apply", "POST /gpu-instance/openapi/v1/endpoint/create"} <= names
    create = next(span for span in collector.spans if span.name.endswith("/create"))
    apply = by_id[create.parent_span_id]
    first = by_id[apply.parent_span_id]
    assert (apply.name, first.name) == ("apply", "round")
    assert attributes(first)["reconciler.result"] == "success"
    assert attributes(first)["reconciler.revision"]
    for _, _, body in collector.requests:
        for secret in (TOKEN, KEY, "ubuntu"):
            assert secret.encode() not in body
