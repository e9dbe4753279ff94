"""The section `sync` of an endpoint and of config.yaml: what the controller does by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from reconciler.kinds.base import Locate
from reconciler.model.problem import Place, Problem
from reconciler.model.sync.cron import UTC_NAME, cron_fault, zone_fault
from reconciler.model.sync.policy import ApplyPolicy, DriftPolicy, Window, WindowKind
from reconciler.model.values import Path

_DURATION: Final = re.compile(r"([1-9][0-9]{0,4})([mhd])")

_SECONDS: Final = {"m": 60.0, "h": 3600.0, "d": 86400.0}
"""Unit -> seconds."""

_WINDOW_KEYS: Final = {"kind", "cron", "duration"}


def sync_of(
    declared: Mapping[str, Any], locate: Locate, where: str = "sync"
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the declared fields of a section by the names of `SyncPolicy`, and the problems of their values.

    `locate` returns the place of a path below the section, which messages call `where`. What the schema
    refuses is reported elsewhere.
    """
    problems: list[Problem] = []
    policy: dict[str, Any] = {}
    if declared.get("drift") is not None:
        policy["drift"] = DriftPolicy(declared["drift"])
    if declared.get("apply") is not None:
        policy["apply"] = ApplyPolicy(declared["apply"])
    if declared.get("prune") is not None:
        policy["prune"] = declared["prune"]
    if declared.get("windows") is not None:
        policy["windows"] = tuple(_windows(declared["windows"], locate, f"{where}.windows", problems))
    if declared.get("suspendUntil") is not None:
        text = declared["suspendUntil"]
        policy["suspend_until"] = end = _time(text)
        if end is None:
            problems.append(_bad_time(f"{where}.suspendUntil", text, locate(("suspendUntil",))))
    return policy, problems


def recurrence_problems(entry: Mapping[str, Any], locate: Locate, where: str) -> Iterator[Problem]:
    """Yield the problems of `cron` and `tz` of a window, or of an entry of a schedule."""
    if fault := cron_fault(entry["cron"]):
        yield Problem(
            code="bad-cron",
            summary=f"`{where}.cron` {fault}",
            hint='write for example `cron: "0 8 * * mon-fri"`, which is 08:00 on working days',
            place=locate(("cron",)),
        )
    zone = entry.get("tz") or UTC_NAME
    if fault := zone_fault(zone):
        yield Problem(
            code="bad-time-zone",
            summary=f"`{where}.tz` {fault}",
            hint="python -m pip install tzdata   installs the time zones"
            if "no time zones" in fault
            else "write a name of the IANA database, such as `tz: Europe/Berlin`; the default is UTC",
            place=locate(("tz",)),
        )


def _windows(entries: Any, locate: Locate, where: str, problems: list[Problem]) -> Iterator[Window]:
    for index, entry in enumerate(entries):
        if not (isinstance(entry, Mapping) and entry.keys() >= _WINDOW_KEYS):
            continue
        locate_here = partial(below, locate, ("windows", str(index)))
        found = list(recurrence_problems(entry, locate_here, f"{where}[{index}]"))
        problems += found
        duration = _DURATION.fullmatch(entry["duration"])
        if duration is not None and not found:
            yield Window(
                kind=WindowKind(entry["kind"]),
                cron=entry["cron"],
                seconds=int(duration[1]) * _SECONDS[duration[2]],
                tz=entry.get("tz") or UTC_NAME,
            )


def below(locate: Locate, base: Path, path: Path) -> Place | None:
    """Return the place of a path below another one."""
    return locate((*base, *path))


def _time(text: str) -> datetime | None:
    """Return the time in UTC, which is also the default; None for a date alone, whose time is not clear."""
    try:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC) if ":" in text else None
    except (ValueError, OverflowError):
        return None


def _bad_time(where: str, text: str, place: Place | None) -> Problem:
    return Problem(
        code="bad-until",
        summary=f"`{where}` must be a date and a time, and {text} is not",
        hint='write for example `suspendUntil: "2030-01-07T08:00:00Z"`',
        place=place,
    )
