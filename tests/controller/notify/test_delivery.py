"""Notifications arrive at a real server, late if they must, and nobody waits for them."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.controller.events import Event, EventKind
from reconciler.controller.notify.delivery import MAX_QUEUE, Notifier
from reconciler.controller.notify.targets import read_targets
from reconciler.model.sync.durations import DELIVERY_BUDGET, DRAIN_PAUSES
from tests.scripted_server import scripted_server
from tests.server.conftest import wait_until
from tests.tls_relay import make_certificate, tls_relay

from .receiver import receiver

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


def event(kind: EventKind = EventKind.DRIFT_FOUND, subject: str = "novita_endpoint.chat") -> Event:
    return Event(
        kind=kind,
        environment="prod",
        subject=subject,
        at=NOW,
        summary=f"{subject} <changed> & moved",
        details=("maxReplicas: 3 → 5",),
        fingerprint="0123456789abcdef",
        revision="c0ffee",
    )


class FastClock:
    """A clock whose waits take no time. `waits`: the seconds of each."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.waits: list[float] = []

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.waits.append(seconds)
        self.seconds += seconds
        return event.is_set()


def notifier(url: str, lines: list[str] | None = None, clock: FastClock | None = None) -> Notifier:
    targets = read_targets([], {"RECONCILER_NOTIFY": url})
    return Notifier(targets, report=lines.append if lines is not None else print, clock=clock)


def test_a_webhook_gets_the_events_of_a_round_as_one_document() -> None:
    with receiver() as server, notifier(server.url) as told:
        told.tell([event(EventKind.DRIFT_GONE, "novita_endpoint.embed"), event()])
        told.close()
        assert told.counts.delivered == 1
    (path, headers, _), (document,) = server.requests[0], server.documents
    assert path == "/hook/THE-SECRET-PATH?token=THE-SECRET-TOKEN"
    assert headers["Content-Type"] == "application/json"
    assert document == {
        "version": 1,
        "environment": "prod",
        "text": "reconciler (prod): 1 drift found, 1 drift gone",
        "events": [
            {
                "kind": "drift_found",
                "subject": "novita_endpoint.chat",
                "at": "2026-11-30T09:00:00Z",
                "summary": "novita_endpoint.chat <changed> & moved",
                "details": ["maxReplicas: 3 → 5"],
                "fingerprint": "0123456789abcdef",
                "revision": "c0ffee",
                "digest": "",
                "repeated": False,
            },
            document["events"][1],
        ],
        "omitted": 0,
    }
    assert document["events"][1]["subject"] == "novita_endpoint.embed"


def test_slack_gets_text_without_markup() -> None:
    with receiver() as server, notifier(f"slack+{server.url}") as told:
        told.tell([event()])
    (document,) = server.documents
    assert document["text"] == (
        "reconciler (prod): 1 drift found\n"
        "[drift] novita_endpoint.chat &lt;changed&gt; &amp; moved\n"
        "    maxReplicas: 3 → 5"
    )
    assert document["mrkdwn"] is False


def test_no_events_send_nothing() -> None:
    with receiver() as server, notifier(server.url) as told:
        told.tell([])
    assert server.requests == []


def test_a_failed_attempt_is_repeated_after_growing_pauses() -> None:
    lines: list[str] = []
    clock = FastClock()
    with receiver(500, 503, 429) as server, notifier(server.url, lines, clock) as told:
        told.tell([event()])
        server.wait_for(4)
        told.close()
        assert (told.counts.delivered, told.counts.dropped) == (1, 0)
    assert clock.waits == [1, 2, 4]
    assert lines == [
        "notifications to RECONCILER_NOTIFY wait: the server answered 500 Internal Server Error",
        "notifications to RECONCILER_NOTIFY are delivered again",
    ]
    assert len({body for _, _, body in server.requests}) == 1


def test_a_short_failure_at_the_end_of_the_process_loses_nothing() -> None:
    """A job that runs once has no other round to tell it in."""
    with receiver(503, 502) as server, notifier(server.url, []) as told:
        told.tell([event()])
        told.close()
        assert told.counts.delivered == 1
    assert len(server.requests) == 3


def test_a_server_may_ask_for_a_longer_pause() -> None:
    clock = FastClock()
    with receiver(429, retry_after="30") as server, notifier(server.url, [], clock) as told:
        told.tell([event()])
        server.wait_for(2)
    assert clock.waits == [30]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 302])
def test_an_answer_that_will_not_change_is_not_asked_for_again(status: int) -> None:
    lines: list[str] = []
    with receiver(status) as server, notifier(server.url, lines) as told:
        told.tell([event()])
        told.close()
        assert told.counts.dropped == 1
    assert len(server.requests) == 1
    (line,) = lines
    assert line.startswith(f"a notification to RECONCILER_NOTIFY was dropped: the server answered {status}")


def test_a_server_that_stays_away_costs_the_notification_after_an_hour() -> None:
    lines: list[str] = []
    clock = FastClock()
    with receiver() as server:
        port = server.port
    with notifier(f"http://127.0.0.1:{port}/THE-SECRET-PATH", lines, clock) as told:
        told.tell([event()])
        deadline = time.monotonic() + 60
        while not told.counts.dropped and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        assert told.counts.dropped == 1
    why = "the server cannot be reached (Connection refused)"
    assert DELIVERY_BUDGET - 300 < sum(clock.waits) <= DELIVERY_BUDGET
    assert lines == [
        f"notifications to RECONCILER_NOTIFY wait: {why}",
        f"a notification to RECONCILER_NOTIFY was dropped: {why}",
    ]


def test_one_target_does_not_wait_for_another() -> None:
    with receiver(*[500] * 1000) as broken, receiver() as good:
        told = notifier(f"{broken.url}\n{good.url}", [])
        told.tell([event()])
        told.tell([event(EventKind.FAILED)])
        good.wait_for(2)
        broken.wait_for(1)
        told.close(0.3)
        assert (told.counts.delivered, told.counts.dropped) == (2, 2)
    assert len(broken.requests) <= 2 * (2 + len(DRAIN_PAUSES)), "a few attempts when the process ends"


def test_telling_never_waits_and_the_oldest_is_dropped_from_a_full_queue(
    silent_server: str,
) -> None:
    lines: list[str] = []
    told = notifier(silent_server, lines)
    start = time.monotonic()
    for number in range(MAX_QUEUE + 5):
        told.tell([event(subject=f"novita_endpoint.e{number}")])
    assert time.monotonic() - start < 1
    counts = told.counts
    assert (counts.waiting, counts.dropped) == (MAX_QUEUE, 5)
    start = time.monotonic()
    told.close(0.2)
    assert time.monotonic() - start < 2
    assert told.counts.dropped == MAX_QUEUE + 5
    assert lines[-1] == f"{MAX_QUEUE} of the notifications to RECONCILER_NOTIFY were not delivered"
    told.close(0.0)
    assert told.counts.dropped == MAX_QUEUE + 5


def test_a_password_of_the_url_is_sent_as_a_header() -> None:
    with receiver() as server, notifier(f"http://me:p%40ss@127.0.0.1:{server.port}/") as told:
        told.tell([event()])
    (path, headers, _) = server.requests[0]
    assert (path, headers["Authorization"]) == ("/", "Basic bWU6cEBzcw==")
    assert headers["Host"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_server_with_tls_gets_it_only_if_its_certificate_is_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_trusted: bool
) -> None:
    certificate, key = make_certificate(tmp_path)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    lines: list[str] = []
    with receiver() as server, tls_relay(f"http://127.0.0.1:{server.port}", certificate, key) as relay:
        told = notifier(f"{relay.url}/THE-SECRET", lines)
        told.tell([event()])
        wait_until(lambda: is_trusted or bool(lines), seconds=60)
        told.close(10 if is_trusted else 0.3)
        assert told.counts.delivered == int(is_trusted)
    assert len(server.requests) == int(is_trusted)
    assert "SECRET" not in str(lines)
    assert is_trusted or "certificate" in lines[0]


def test_an_answer_that_is_no_http_is_tried_again_and_not_shown() -> None:
    lines: list[str] = []

    def babble(connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(b"a-secret-of-the-server\r\n\r\n")

    with scripted_server(babble) as server, notifier(f"{server.url}/THE-SECRET", lines) as told:
        told.tell([event()])
        told.close()
    assert 0 <= len(server.received) - (1 + len(DRAIN_PAUSES)) <= 1, "and one before the end began"
    assert lines == [
        "notifications to RECONCILER_NOTIFY wait: the server gave no usable answer",
        "a notification to RECONCILER_NOTIFY was dropped: the server gave no usable answer",
    ]


def test_a_variable_for_proxies_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://me:hunter2@proxy.test")
    lines: list[str] = []
    with notifier("https://chat.example.com/THE-SECRET", lines) as told:
        told.tell([event()])
        told.close(0.2)
    assert "HTTPS_PROXY cannot be used" in lines[0]
    assert "hunter2" not in str(lines)
