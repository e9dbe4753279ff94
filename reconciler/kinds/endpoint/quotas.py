"""Checks of a plan against the account's quotas. They warn with value, limit and source, and never refuse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.kinds.endpoint.answer_reader import number
from reconciler.kinds.endpoint.fields import TABLE
from reconciler.model.plan import Adopt, Change, Create, Replace, Scale, Update
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Limits
from reconciler.model.values import Fields, Path, value_at

RANGES: Final = tuple((row.path, *row.quota) for row in TABLE.rows if any(row.quota))
"""(path, key of the minimum, key of the maximum) in `endpoint/limit`; a missing key means no check.

minWorkerNum is left out: 0 works where it says 1."""

POLICY: Final = {
    "queue": ("minQueueWaitTime", "maxQueueWaitTime"),
    "concurrency": ("minRequestNum", "maxRequestNum"),
}


def needs_limits(changes: Sequence[Change]) -> bool:
    """Return True if a change could exceed a quota."""
    return any(
        isinstance(change, Create | Update | Scale | Replace) or (isinstance(change, Adopt) and change.fields)
        for change in changes
    )


def check_limits(changes: Sequence[Change], limits: Limits | None) -> Iterator[Problem]:
    """Return a warning for each value beyond a quota, or a note if the limits could not be read."""
    if limits is None:
        yield Problem(
            code="limits-unknown",
            severity=Severity.NOTE,
            summary="the account's limits could not be read; values were not checked against them",
        )
        return
    for change in changes:
        match change:
            case Create():
                yield from _breaches(change, change.desired.fields, limits)
            case Update() | Scale() | Replace():
                yield from _breaches(change, change.target, limits)
            case Adopt() if change.fields:
                yield from _breaches(change, change.target, limits)
            case _:
                pass


def _breaches(
    change: Create | Update | Scale | Replace | Adopt, fields: Fields, limits: Limits
) -> Iterator[Problem]:
    for path, low_key, high_key in (*RANGES, *_policy_range(fields), *_volume_ranges(fields)):
        value = value_at(fields, path)
        if not isinstance(value, int):
            continue
        low, high = number(limits.get(low_key)), number(limits.get(high_key))
        if high is not None and value > high:
            yield _warning(change, path, value, f"above the account's {high_key} {high}")
        elif low is not None and value < low:
            yield _warning(change, path, value, f"below the account's {low_key} {low}")


def _policy_range(fields: Fields) -> tuple[tuple[Path, str, str], ...]:
    keys = POLICY.get(fields.get("policy", {}).get("type", ""))
    return ((("policy", "value"), *keys),) if keys else ()


def _volume_ranges(fields: Fields) -> tuple[tuple[Path, str, str], ...]:
    return tuple(
        (("volumeMounts", mount, "size"), "minLocalVolumeSize", "maxLocalVolumeSize")
        for mount, volume in fields.get("volumeMounts", {}).items()
        if volume.get("type") == "local"
    )


def _warning(change: Create | Update | Scale | Replace | Adopt, path: Path, value: int, why: str) -> Problem:
    return Problem(
        code="limit",
        severity=Severity.WARNING,
        summary=f"{TABLE.label(path)} {value} of `{change.name}` is {why} (endpoint/limit)",
        hint="Novita may refuse or clamp it; quotas are raised by Novita's support",
        address=change.address,
        place=change.desired.place_of(path),
    )
