"""The texts of notifications. The JSON has a schema, schemas/notification.schema.json."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from reconciler.controller.events import Event, EventKind
from reconciler.model.encoding import json_bytes
from reconciler.model.text import quantity, utc_text

VERSION: Final = 1
"""Of the JSON. A later version may add fields; one that changes fields has another number."""

MAX_EVENTS: Final = 100
"""Events of one notification. The rest of a round is counted."""

MAX_CHAT_EVENTS: Final = 20
"""Events in a text for a chat."""

MAX_CHAT_LINES: Final = 5
"""Lines of details of each event in a text for a chat."""

_URGENT: Final = (
    EventKind.FAILED,
    EventKind.REFUSED,
    EventKind.WAITING,
    EventKind.DRIFT_FOUND,
    EventKind.LEADER_CHANGED,
    EventKind.APPLIED,
    EventKind.RECOVERED,
    EventKind.DRIFT_GONE,
)
"""The order in a text, so that what needs a person is not what is left out."""

_MARKS: Final = {
    EventKind.FAILED: "[failed]",
    EventKind.REFUSED: "[refused]",
    EventKind.WAITING: "[waiting]",
    EventKind.DRIFT_FOUND: "[drift]",
    EventKind.LEADER_CHANGED: "[leader]",
    EventKind.APPLIED: "[applied]",
    EventKind.RECOVERED: "[recovered]",
    EventKind.DRIFT_GONE: "[drift gone]",
}


def json_message(events: Sequence[Event]) -> bytes:
    """Return the body of a webhook with the events of one round of one environment (at least one)."""
    chosen = _ordered(events)[:MAX_EVENTS]
    return json_bytes(
        {
            "version": VERSION,
            "environment": events[0].environment,
            "text": title(events),
            "events": [_event(event) for event in chosen],
            "omitted": len(events) - len(chosen),
        }
    )


def slack_message(events: Sequence[Event]) -> bytes:
    """Return the same for Slack, and for chats that take its JSON. It has no markup, and mentions nobody."""
    text = chat_text(events).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return json_bytes({"text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False})


def chat_text(events: Sequence[Event]) -> str:
    """Return the events as lines of plain text, the title first."""
    chosen = _ordered(events)[:MAX_CHAT_EVENTS]
    lines = [title(events)]
    for event in chosen:
        repeated = " (still)" if event.is_repeated else ""
        lines.append(f"{_MARKS[event.kind]}{repeated} {event.summary}")
        shown = event.details[:MAX_CHAT_LINES]
        lines += [f"    {line}" for line in shown]
        if len(event.details) > len(shown):
            lines.append(f"    and {quantity(len(event.details) - len(shown), 'more line')}")
        if event.digest:
            option = f"-e {event.environment} " if event.environment else ""
            lines.append(f"    to apply it: reconciler {option}approve {event.digest}")
    if len(events) > len(chosen):
        lines.append(f"and {quantity(len(events) - len(chosen), 'more event')}")
    return "\n".join(lines)


def title(events: Sequence[Event]) -> str:
    """Return one line about all events: the environment, and how many there are of each kind."""
    counts = {kind: sum(event.kind is kind for event in events) for kind in _URGENT}
    words = [f"{count:,} {kind.value.replace('_', ' ')}" for kind, count in counts.items() if count]
    environment = events[0].environment
    return f"reconciler{f' ({environment})' if environment else ''}: {', '.join(words)}"


def _ordered(events: Sequence[Event]) -> list[Event]:
    return sorted(events, key=lambda event: _URGENT.index(event.kind))


def _event(event: Event) -> dict[str, Any]:
    return {
        "kind": event.kind.value,
        "subject": event.subject,
        "at": utc_text(event.at),
        "summary": event.summary,
        "details": list(event.details),
        "fingerprint": event.fingerprint,
        "revision": event.revision,
        "digest": event.digest,
        "repeated": event.is_repeated,
    }
