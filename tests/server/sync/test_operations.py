"""Health, the state as JSON, metrics, and the calls of git servers."""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from datetime import timedelta

import pytest
import schemathesis

from reconciler.controller.board import Board
from reconciler.controller.state import RoundResult
from reconciler.model.sync.durations import LOOP_STALLED
from reconciler.server.sync.operations import controlled_operations
from reconciler.simulator import Server
from reconciler.workflow.runtime.context import Context
from tests.server.conftest import READER, WRITER

from .conftest import DIGEST, NOW, SECRET, Serve, a_board, a_plan, a_state, in_environment


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + hmac.digest(secret.encode(), body, hashlib.sha256).hex()}


def test_a_push_wakes_every_environment(serve: Serve, context: Context) -> None:
    boards = [a_board(in_environment(context, name), a_state(name)) for name in ("dev", "prod")]
    server = serve(*boards)
    assert server.ask("POST", "/hook", b"{}", headers=signed(b"{}")).status == 202
    assert [signal.seconds_left() is not None for signal in server.signals] == [True, True]
    assert all(board.wake.is_set() for board in boards)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(b"other"),
        signed(b"{}", "another-secret-of-a-server"),
        {"X-Gitlab-Token": "wrong"},
        {"X-Hub-Signature-256": ""},
        {"Authorization": f"Bearer {WRITER}"},
    ],
)
def test_nobody_else_wakes_it(serve: Serve, context: Context, headers: dict[str, str]) -> None:
    server = serve(a_board(context, a_state()))
    answer = server.ask("POST", "/hook", b"{}", headers=headers)
    assert (answer.status, answer.json["error"]) == (401, "unauthorized")
    assert server.signals[0].seconds_left() is None


def test_a_large_call_is_refused(serve: Serve, context: Context) -> None:
    server = serve(a_board(context, a_state()))
    body = b" " * ((1 << 20) + 1)
    assert server.ask("POST", "/hook", body, headers=signed(body)).status == 413
    body = b" " * (1 << 20)
    assert server.ask("POST", "/hook", body, headers=signed(body)).status == 202


def test_health_is_that_of_the_loops(context: Context, serve: Serve) -> None:
    now = [0.0]
    board = Board(context, threading.Event(), monotonic=lambda: now[0])
    server = serve(board)
    assert server.get("/healthz").status == 200
    assert server.get("/readyz").status == 503
    board.lead()
    board.show(a_state(result=RoundResult.ERROR), context)
    assert server.get("/readyz").status == 503
    board.show(a_state(), context)
    assert server.get("/readyz").status == 200
    now[0] = LOOP_STALLED + 1
    assert server.get("/healthz").status == 503
    board.beat()
    assert server.get("/healthz").status == 200
    board.stand_by()
    now[0] *= 3
    assert (server.get("/healthz").status, server.get("/readyz").status) == (200, 200), "nothing to do"
    board.end()
    answer = server.get("/healthz")
    assert answer.status == 503
    assert answer.json["error"] == "the loop has ended or stands still: the only environment"


def test_the_state_as_json(serve: Serve, context: Context) -> None:
    state = a_state(count=2, waiting=a_plan(context), told={"x": "y"}, rejected="bad")
    server = serve(a_board(context, state))
    (one,) = server.get("/api/v1/sync", token=WRITER).json["environments"]
    assert one["waiting"]["digest"] == DIGEST
    assert "maxReplicas = 3 -> 5" in one["waiting"]["text"]
    assert one["endpoints"][1]["status"] == "blocked"
    assert one["checkedAt"] == (NOW - timedelta(seconds=40)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (one["isLeading"], one["rejected"]) == (True, "bad")
    assert not {"told", "mac", "backoffs"} & {*one, *one["waiting"]}
    (one,) = server.get("/api/v1/sync", token=READER).json["environments"]
    assert one["waiting"]["text"] is None, "it may have values of env"


def test_others_need_a_token_and_probes_do_not(serve: Serve, context: Context) -> None:
    server = serve(a_board(context, a_state()), host="0.0.0.0")
    for path in ("/api/v1/sync", "/metrics"):
        assert server.get(path).status == 401
        assert server.get(path, token="x" * 20).status == 401
        assert server.get(path, token=READER).status == 200
    assert (server.get("/sync").status, server.get("/environments/x").status) == (303, 303)
    probe = {"Host": f"10.2.3.4:{server.port}"}
    assert server.get("/healthz", headers=probe).status == 200, "a probe of Kubernetes"
    assert server.get("/readyz", headers={"Host": "[fd00::1]:8090"}).status == 200
    assert server.get("/healthz", headers={"Host": "evil.example"}).status == 403
    local = serve(a_board(context, a_state()))
    assert local.get("/healthz", headers=probe).status == 403


def test_the_metrics_are_those_of_the_controller(serve: Serve, context: Context, sim: Server) -> None:
    server = serve(a_board(context, a_state()))
    server.get("/healthz")
    text = server.get("/metrics").text
    assert "novita_reconciler_http_requests_total" in text
    assert sim.requests == [], "a scrape does not list the account"


def test_the_document_lists_the_operations_of_a_controller(serve: Serve, context: Context) -> None:
    server = serve(a_board(context, a_state(waiting=a_plan(context))))
    document = server.get("/openapi.json").json
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=server.url)
    for operation in controlled_operations(server.controlled):
        case = schema[operation.path][operation.method].Case()
        answer = (
            case.call(headers={"Authorization": f"Bearer {WRITER}"}, timeout=30)
            if "{" not in operation.path
            else None
        )
        if (
            answer is not None
            and operation.tag in ("sync", "server")
            and operation.media == "application/json"
        ):
            case.validate_response(answer)
    assert document["info"]["title"] == "reconciler run"
    assert {"/hook", "/api/v1/sync", "/healthz", "/readyz", "/api/v1/endpoints"} <= document["paths"].keys()
    assert "202" in document["paths"]["/hook"]["post"]["responses"]
    page = re.sub(r"<[^>]+>", "", server.get("/docs").text)
    assert "/api/v1/sync" in page
