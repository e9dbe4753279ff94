"""Reads `drift.ignore` of config.yaml."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.drift import DriftIgnore
from reconciler.model.problem import Place, Problem


def read_drift_ignores(
    entries: object, locate: Callable[..., Place | None], problems: list[Problem]
) -> Iterator[DriftIgnore]:
    """Yield the valid entries; problems of the others are added to `problems`.

    `locate` returns the place of a path below `drift.ignore`. Schema errors are reported elsewhere.
    """
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict) and isinstance(entry.get("endpoint"), str):
            ignore = _ignore(entry, lambda *path, at=index: locate(at, *path), problems)
            if ignore is not None:
                yield ignore


def _ignore(
    entry: Mapping[str, Any], locate: Callable[..., Place | None], problems: list[Problem]
) -> DriftIgnore | None:
    path, until, why = (entry.get(name) for name in ("path", "until", "why"))
    paths = ENDPOINT.table.wire_paths(path) if isinstance(path, str) else ()
    if isinstance(path, str) and not paths:
        problems.append(_unknown_path(path, locate("path")))
        return None
    end = _parse_until(until) if isinstance(until, str) else None
    if isinstance(until, str) and end is None:
        problems.append(_invalid_until(until, locate("until")))
        return None
    return DriftIgnore(
        endpoint=entry["endpoint"],
        paths=paths,
        shown=path if isinstance(path, str) else "",
        until=end,
        why=why if isinstance(why, str) else "",
        place=locate("endpoint"),
    )


def _parse_until(text: str) -> datetime | None:
    """Return the end of a day, or a point in time, in UTC unless there is an offset; None if invalid."""
    try:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        pass
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        return None
    return end if end.tzinfo else end.replace(tzinfo=UTC)


def _unknown_path(text: str, place: Place | None) -> Problem:
    from reconciler.config.vocabulary import suggest_name

    meant = suggest_name(text, ENDPOINT.table.known_names())
    return Problem(
        code="unknown-ignore",
        summary=f"`{text}` in drift.ignore is not a field of an endpoint",
        hint=f"did you mean `{meant}`?"
        if meant
        else "use a YAML name (`replicas`, `env.KEY`) or a wire path; leave out `path` to ignore all fields",
        place=place,
    )


def _invalid_until(text: str, place: Place | None) -> Problem:
    return Problem(
        code="bad-until",
        summary=f"`until: {text}` is neither a date nor a date and time",
        hint='write the last day of the ignore, such as `until: "2030-12-31"`',
        place=place,
    )
