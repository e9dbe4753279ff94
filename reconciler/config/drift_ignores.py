"""`drift.ignore` of config.yaml: what may move without an alarm, for how long, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.drift import DriftIgnore
from reconciler.model.problem import Place, Problem


def ignores(
    entries: object, locate: Callable[..., Place | None], problems: list[Problem]
) -> Iterator[DriftIgnore]:
    """The entries that are well-formed; what is wrong with the others joins `problems`.

    `locate` is given the path below `drift.ignore`. Faults of form were reported by the schema.
    """
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        if isinstance(entry, dict) and isinstance(entry.get("endpoint"), str):
            found = _ignore(entry, lambda *path, at=index: locate(at, *path), problems)
            if found is not None:
                yield found


def _ignore(
    entry: Mapping[str, Any], locate: Callable[..., Place | None], problems: list[Problem]
) -> DriftIgnore | None:
    path, until, why = (entry.get(name) for name in ("path", "until", "why"))
    paths = ENDPOINT.table.wire_paths(path) if isinstance(path, str) else ()
    if isinstance(path, str) and not paths:
        problems.append(_unknown_path(path, locate("path")))
        return None
    end = _moment(until) if isinstance(until, str) else None
    if isinstance(until, str) and end is None:
        problems.append(_no_moment(until, locate("until")))
        return None
    return DriftIgnore(
        endpoint=entry["endpoint"],
        paths=paths,
        shown=path if isinstance(path, str) else "",
        until=end,
        why=why if isinstance(why, str) else "",
        place=locate("endpoint"),
    )


def _moment(text: str) -> datetime | None:
    """When it ends: after the day that is named, or at the moment; without an offset, UTC is meant."""
    try:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _unknown_path(text: str, place: Place | None) -> Problem:
    from reconciler.config.vocabulary import close_to

    meant = close_to(text, ENDPOINT.table.known_names())
    return Problem(
        code="unknown-ignore",
        summary=f"`{text}` in drift.ignore names no field of an endpoint",
        hint=f"did you mean `{meant}`?"
        if meant
        else "use a YAML name (`replicas`, `env.KEY`) or a wire path; leave `path` out to mean all of it",
        place=place,
    )


def _no_moment(text: str, place: Place | None) -> Problem:
    return Problem(
        code="bad-until",
        summary=f"`until: {text}` is neither a day nor a moment",
        hint='write the last day that it counts, `until: "2030-12-31"`',
        place=place,
    )
