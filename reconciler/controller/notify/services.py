"""Notifications by apprise, of the extra `notify`: it knows a hundred services, such as chats and mail."""

from __future__ import annotations

import logging

import apprise

from reconciler.controller.notify.targets import Target
from reconciler.controller.notify.webhook import Undelivered


def service_name(target: Target) -> str:
    """Return the name of the service of a URL, such as `Telegram`; "" for one that apprise does not know."""
    service = _service(target)
    return str(service.service_name) if service else ""


def send_by_apprise(target: Target, title: str, text: str) -> None:
    """Send a title and a text. Raise Undelivered; apprise does not say why."""
    service = _service(target)
    if service is None:
        raise Undelivered("apprise does not know the service of the URL", is_final=True)
    if not service.notify(body=text, title=title):
        raise Undelivered("the service did not take it")


def _service(target: Target) -> apprise.NotifyBase | None:
    logging.getLogger("apprise").disabled = True  # its messages have parts of the URL
    service = apprise.Apprise.instantiate(target.url, suppress_exceptions=True)
    return service if isinstance(service, apprise.NotifyBase) else None
