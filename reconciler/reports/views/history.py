"""Applied versions of endpoints as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

from reconciler.kinds.registry import ENDPOINT, KINDS
from reconciler.model.encoding import json_line
from reconciler.model.values import Absent, Fields, Json, Path, value_at
from reconciler.planning.diff import differences
from reconciler.reports.run.summary import shortened
from reconciler.reports.terminal.escape import plain
from reconciler.reports.terminal.style import PLAIN, Style

SHOWN_CHANGES = 3
"""Changed fields that are shown for one version (count)."""

MAX_VALUE = 28
"""Characters of a shown value, so that most lines fit 80 columns."""

MARGIN = " " * 7


class By(Protocol):
    """Who applied a version, and from what; unknown values are empty."""

    @property
    def who(self) -> str: ...
    @property
    def command(self) -> str: ...
    @property
    def commit(self) -> str: ...
    @property
    def is_dirty(self) -> bool: ...
    @property
    def run_url(self) -> str: ...
    @property
    def message(self) -> str: ...


class Version(Protocol):
    """The shown parts of an applied version; `fields` contains references in place of secrets."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def at(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def fields(self) -> Fields: ...
    @property
    def hidden(self) -> Sequence[Path]: ...
    @property
    def is_deletion(self) -> bool: ...
    @property
    def by(self) -> By: ...
    @property
    def proof(self) -> str | None: ...


def versions_text(by_name: Mapping[str, Sequence[Version]], style: Style = PLAIN) -> str:
    """Return the versions of each endpoint, newest first, ending in a newline."""
    return "\n".join(_block(name, versions, style) for name, versions in by_name.items())


def version_document(version: Version) -> dict[str, Json]:
    """Return one element of `history --json`. A key without a value is null."""
    by = version.by
    return {
        "name": version.name,
        "version": version.number,
        "at": version.at,
        "action": version.action,
        "id": version.id,
        "who": by.who or None,
        "command": by.command or None,
        "commit": by.commit or None,
        "dirty": by.is_dirty if by.commit else None,
        "run_url": by.run_url or None,
        "message": by.message or None,
        "proof": version.proof,
        "fields": dict(version.fields),
        "unknown": [list(path) for path in version.hidden],
    }


def _block(name: str, versions: Sequence[Version], style: Style) -> str:
    earlier: dict[int, Version] = {after.number: before for before, after in pairwise(versions)}
    lines = [style.bold(plain(name))]
    for version in reversed(versions):
        lines.append(_head(version))
        lines += [MARGIN + line for line in _details(version, earlier.get(version.number), style)]
    return "\n".join(lines) + "\n"


def _head(version: Version) -> str:
    facts = (version.at, f"{version.action:<8}", version.by.who, _commit(version.by), _proof(version))
    return f"{version.number:>5}  {'  '.join(plain(fact) for fact in facts if fact)}".rstrip()


def _proof(version: Version) -> str:
    return {None: "", "failed": "probe failed"}.get(version.proof, version.proof or "")


def _commit(by: By) -> str:
    return by.commit[:8] + (" (files changed since)" if by.is_dirty else "")


def _details(version: Version, before: Version | None, style: Style) -> Iterator[str]:
    """Yield the message of a version, what it changed, what is not known of it, and its CI run."""
    by = version.by
    if by.message:
        yield plain(by.message)
    if by.command and by.command.partition(" ")[0] not in ("apply", version.action):
        yield plain(f"command: {by.command}")
    if not version.is_deletion:
        yield from _changes(version, before if before and not before.is_deletion else None)
    if version.hidden:
        names = ", ".join(map(KINDS[version.kind].table.label, version.hidden))
        yield style.dim(plain(f"not recorded, because it was given without a reference: {names}"))
    if by.run_url:
        yield style.dim(plain(by.run_url))


def _changes(version: Version, before: Version | None) -> Iterator[str]:
    table = KINDS[version.kind].table
    label = table.label
    if before is None and version.kind != ENDPOINT.type:
        paths = sorted(((key,) for key in version.fields if key != "name"), key=table.reading_rank)
        yield plain("  ".join(f"{label(path)}: {_shown(version.fields[path[0]])}" for path in paths))
        return
    if before is None:
        low, high = (value_at(version.fields, ("workerConfig", key)) for key in ("minNum", "maxNum"))
        image = _shown(value_at(version.fields, ("image", "image")), 60)
        yield f"{_shown(low)}-{_shown(high)} workers  {image}"
        return
    changed = list(differences(before.fields, version.fields))
    for path, old, new in changed[:SHOWN_CHANGES]:
        yield plain(f"{label(path)}: {_shown(old)} -> {_shown(new)}")
    if len(changed) > SHOWN_CHANGES:
        yield f"and {len(changed) - SHOWN_CHANGES} more"


def _shown(value: Json | Absent, length: int = MAX_VALUE) -> str:
    """Return a value as text; a secret as its reference."""
    match value:
        case Absent():
            return "none"
        case {"reference": str(text)} if len(value) == 1:
            return shortened(text, length)
        case str():
            return shortened(value, length)
        case _:
            return shortened(json_line(value), length)
