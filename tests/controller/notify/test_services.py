"""Targets of apprise, against a server on this machine."""

from __future__ import annotations

import logging

import pytest

from reconciler.controller.notify.services import send_by_apprise, service_name
from reconciler.controller.notify.targets import Target, read_targets
from reconciler.controller.notify.webhook import Undelivered

from .receiver import receiver
from .test_delivery import event, notifier

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def target(url: str) -> Target:
    (found,) = read_targets([], {"RECONCILER_NOTIFY": url})
    return found


def test_apprise_gets_the_text_of_a_chat() -> None:
    with receiver() as server, notifier(f"json://127.0.0.1:{server.port}/THE-SECRET") as told:
        told.tell([event()])
        server.wait_for(1)
        told.close()
        assert told.counts.delivered == 1
    (document,) = server.documents
    assert document["title"] == "reconciler (prod): 1 drift found"
    assert "maxReplicas: 3 → 5" in document["message"]


def test_a_failure_is_reported_without_the_url(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    lines: list[str] = []
    with (
        receiver(500, 500, 500) as server,
        notifier(f"json://127.0.0.1:{server.port}/THE-SECRET", lines) as told,
    ):
        told.tell([event()])
        server.wait_for(1)
    assert lines[0] == "notifications to RECONCILER_NOTIFY wait: the service did not take it"
    assert "THE-SECRET" not in f"{lines} {caplog.text} {capfd.readouterr()}"


def test_an_unknown_service_is_known_before_anything_is_sent() -> None:
    assert service_name(target("tgram://123456789:abcdefg_hijklmnop/12315544/")) == "Telegram"
    unknown = target("nosuchservice://THE-SECRET")
    assert service_name(unknown) == ""
    with pytest.raises(Undelivered) as caught:
        send_by_apprise(unknown, "title", "text")
    assert caught.value.is_final
