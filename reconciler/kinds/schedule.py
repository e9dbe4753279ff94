"""The `schedule` of a declared item: worker counts by time of day or week."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any, Final

from reconciler.kinds.base import Locate
from reconciler.kinds.sync_policy import below, recurrence_problems
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Lifecycle
from reconciler.model.sync.cron import UTC_NAME
from reconciler.model.sync.schedule import Schedule
from reconciler.model.values import Path, is_below

OVERRIDDEN: Final = ("replicas", "minReplicas", "maxReplicas")
"""The YAML names of worker counts, which a schedule replaces."""

_KEYS: Final = {"cron", "min", "max"}


def schedule_of(
    declared: Mapping[str, Any], lifecycle: Lifecycle, scaling: Collection[Path], locate: Locate
) -> tuple[tuple[Schedule, ...], list[Problem]]:
    """Return the entries in the order of the file, and the problems of the schedule.

    scaling: the wire paths of worker counts. What the schema refuses is reported elsewhere.
    """
    problems: list[Problem] = []
    entries: list[Schedule] = []
    first: dict[tuple[str, str], int] = {}
    for index, entry in enumerate(declared["schedule"]):
        if not (isinstance(entry, Mapping) and entry.keys() >= _KEYS):
            continue
        locate_here, where = partial(below, locate, ("schedule", str(index))), f"schedule[{index}]"
        problems += recurrence_problems(entry, locate_here, where)
        tz = entry.get("tz") or UTC_NAME
        earlier = first.setdefault((" ".join(entry["cron"].lower().split()), tz), index)
        if earlier != index:
            problems.append(
                Problem(
                    code="duplicate-schedule",
                    summary=f"`schedule[{earlier}]` and `{where}` have the same times",
                    hint="remove one of the two",
                    place=locate_here(("cron",)),
                )
            )
        if entry["min"] > entry["max"]:
            problems.append(
                Problem(
                    code="min-above-max",
                    summary=f"`{where}` has min {entry['min']} above max {entry['max']}",
                    hint=f"raise `max` to at least {entry['min']}, or lower `min`",
                    place=locate_here(("min",)),
                )
            )
        entries.append(Schedule(cron=entry["cron"], min=entry["min"], max=entry["max"], tz=tz))
    if entries:
        problems += _conflicts(declared, lifecycle, scaling, locate)
    return tuple(entries), problems


def _conflicts(
    declared: Mapping[str, Any], lifecycle: Lifecycle, scaling: Collection[Path], locate: Locate
) -> Iterator[Problem]:
    if any(is_below(path, prefix) for prefix in lifecycle.ignore for path in scaling):
        yield Problem(
            code="ignored-schedule",
            summary="`schedule` sets the worker counts, which `lifecycle.ignoreChanges` excludes",
            hint="remove one of the two; in an overlay, `schedule: null` removes the schedule",
            place=locate(("lifecycle", "ignoreChanges")),
        )
    for name in OVERRIDDEN:
        if name in declared:
            yield Problem(
                code="precedence",
                severity=Severity.NOTE,
                summary=f"`schedule` wins over `{name}`",
                hint=f"remove `{name}`",
                place=locate((name,)),
            )
