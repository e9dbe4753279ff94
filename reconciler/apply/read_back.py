"""Every write is read back: what the account says afterwards is what counts."""

from __future__ import annotations

from reconciler.apply.clock import Clock, attempts
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.encoding import one_line
from reconciler.model.plan import Absent
from reconciler.model.problem import Problem
from reconciler.model.resource import Live
from reconciler.model.values import Fields, Path, Value, is_open, mask
from reconciler.novita.account import AccountReader
from reconciler.planning.diff import differences, equal

SETTLES_WITHIN = 8.0
"""Seconds that a change may take to be visible; one user sees updates after 2.5 to 3."""

GONE_WITHIN = 120.0
"""Seconds that a deleted endpoint may stay readable while it terminates."""


def read_back(reader: AccountReader, clock: Clock, object_id: str, target: Fields) -> Problem | None:
    """Wait until the endpoint reads as it was written; else say what Novita kept."""
    live: Live | None = None
    for _ in attempts(clock, within=SETTLES_WITHIN):
        live = reader.get(object_id)
        if live is not None and matches(live, target):
            return None
    if live is None:
        return Problem(
            code="not-visible",
            summary=f"{object_id} was written, but cannot be read after {SETTLES_WITHIN:.0f} s",
            hint="run `reconciler plan` in a minute",
        )
    want, have = ENDPOINT.sides(target, None, live.fields, (), live.unread)
    kept = [_sentence(*difference) for difference in differences(have, want)]
    return Problem(
        code="value-kept",
        summary=f"Novita accepted the write to {object_id} and kept " + "; ".join(kept),
        hint="declare the value that Novita keeps, or ask Novita's support why",
    )


def matches(live: Live, target: Fields) -> bool:
    """Whether a live endpoint is as it was written."""
    if ENDPOINT.is_to_the_letter(target, live.fields):
        return True
    want, have = ENDPOINT.sides(target, None, live.fields, (), live.unread)
    return equal(have, want)


def wait_until_gone(reader: AccountReader, clock: Clock, object_id: str, *, released: bool) -> Problem | None:
    """Wait until an endpoint is gone, or at least on its way; `released` insists that it is gone."""
    for _ in attempts(clock, within=GONE_WITHIN, factor=1.5):
        live = reader.get(object_id)
        if live is None or (live.is_terminating and not released):
            return None
    return Problem(
        code="not-gone",
        summary=f"{object_id} was deleted, but is still there after {GONE_WITHIN:.0f} s",
        hint="run `reconciler plan` in a minute; if it stays, delete it in the console",
    )


def _sentence(path: Path, kept: Value | Absent, sent: Value | Absent) -> str:
    name = ".".join(path)
    if _may_be_secret(kept) or _may_be_secret(sent) or path[0] == "envs":
        return f"another {name}"
    where = "" if isinstance(sent, Absent) else f" where {_shown(sent)} was sent"
    return f"no {name}{where}" if isinstance(kept, Absent) else f"{name} {_shown(kept)}{where}"


def _may_be_secret(value: Value | Absent) -> bool:
    return not isinstance(value, Absent) and not is_open(value)


def _shown(value: Value) -> str:
    return one_line(mask(value))
