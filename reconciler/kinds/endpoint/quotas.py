"""Checks of a plan against the account's quotas. They warn with value, limit and source, and never refuse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from reconciler.kinds.answer_reader import number
from reconciler.kinds.endpoint.fields import TABLE
from reconciler.model.plan import Adopt, Change, Create, Replace, Scale, Update
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Limits
from reconciler.model.text import quantity
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
    yield from _fitted(changes)
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


def fit_defaults(desired: Desired, limits: Limits | None, applied: Fields | None) -> Desired:
    """Return the endpoint with its default values fitted, see `Kind.fit_defaults`."""
    fields = desired.fields
    for path in desired.defaulted:
        value, recorded = value_at(fields, path), value_at(applied or {}, path)
        if limits is not None:
            fitted = _within(value, *(number(limits.get(key)) for key in TABLE.by_path[path].quota))
        else:
            fitted = recorded if isinstance(recorded, int) else value
        if fitted != value:
            head, leaf = path
            fields = {**fields, head: {**fields[head], leaf: fitted}}
    return desired if fields is desired.fields else replace(desired, fields=fields)


def _within(value: Any, low: int | None, high: int | None) -> Any:
    if high is not None and 0 < high < value:
        return high
    return low if low is not None and low > value else value


def _fitted(changes: Sequence[Change]) -> Iterator[Problem]:
    """Yield a note that names the endpoints that get another value than the default, by their first one."""
    names: dict[tuple[Path, Any], list[Create | Update | Replace | Adopt]] = {}
    for change in changes:
        if isinstance(change, Create | Update | Replace | Adopt):
            written = {field.path for field in change.fields}
            for path in change.desired.defaulted:
                value = value_at(change.desired.fields, path)
                if path in written and value != TABLE.by_path[path].default:
                    names.setdefault((path, value), []).append(change)
    for (path, value), fitted in names.items():
        row = TABLE.by_path[path]
        others = f" and {quantity(len(fitted) - 1, 'other')}" if len(fitted) > 1 else ""
        yield Problem(
            code="default-fitted",
            severity=Severity.NOTE,
            summary=f"the account does not allow the default {TABLE.label(path)} {row.default}:"
            f" {value} is sent for `{fitted[0].name}`{others}",
            hint=f"to see it in the YAML, write `{row.names[0]}: {value}`",
            address=fitted[0].address if len(fitted) == 1 else None,
        )


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
