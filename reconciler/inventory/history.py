"""The history for rollbacks: each version that was applied to an endpoint, in a file beside the map.

The file has one line for each version. A secret is written as its reference, never as its value; a secret
without a reference is only named. The last twenty versions of an endpoint are kept; the file is rewritten
when it has more than twice as many lines.

A line may also be a mark of one version: its proof, the probe of `apply --probe`, is missing, was given, or
failed. A mark is appended before the change, and another one after the probe, so a killed run leaves the
first. The last mark of a version holds.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

from reconciler.inventory.errors import read_errors, write_errors
from reconciler.inventory.files import FileSystem, companion, replace_file, resolve, write_all
from reconciler.inventory.history_entries import Mark, Version, is_torn, line_of, name_of, parse_line
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.problem import Place
from reconciler.model.secrets import Sealed, Secret, map_secrets
from reconciler.model.values import Fields, Json, is_plain_data, leaves, with_path_from
from reconciler.model.values import Path as WirePath

MAX_VERSIONS: Final = 20
"""Versions of one endpoint (count)."""


def history(path: Path, names: Collection[str] | None = None) -> Mapping[str, tuple[Version, ...]]:
    """Return the kept versions of each endpoint or of these, oldest first. Skip lines that cannot be read."""
    return _latest(_entries(_read(_history_path(path)).splitlines(), names))


def early_marks(path: Path, names: Collection[str]) -> Mapping[str, Mark]:
    """Return the marks that have no version yet, by name: their run was killed before it recorded one."""
    return _early_marks(_entries(_read(_history_path(path)).splitlines(), names))


def find_damage(path: Path, name: str | None = None) -> Place | None:
    """Return the place of the first line that is JSON and not a version: it was edited, not torn.

    With a name, lines that are about another one are left out.
    """
    file = _history_path(path)
    data = _read(file)
    for number, line in enumerate(data.split(b"\n"), 1):
        if name is not None and name_of(line) not in (name, None):
            continue
        if line.strip() and parse_line(line) is None and not is_torn(line):
            return Place(file=str(file), line=number, column=1)
    return None


def append_versions(path: Path, versions: Iterable[Version]) -> None:
    """Append versions, and number them after the existing ones. The caller holds the inventory's lock."""
    _append(path, list(versions))


def append_marks(path: Path, marks: Iterable[Mark]) -> None:
    """Append marks; the number 0 stands for the next version. The caller holds the inventory's lock."""
    _append(path, list(marks))


def _append(path: Path, new: Sequence[Version | Mark]) -> None:
    if not new:
        return
    file, disk = _history_path(path), FileSystem()
    with write_errors(file, saved="The endpoints are recorded; only their history is not"):
        data = disk.read(file) or b""
        lines = data.splitlines()
        known = _latest(_entries(lines, {entry.name for entry in new}))
        numbered = [entry if entry.number else _numbered(entry, known) for entry in new]
        counts = Counter(map(name_of, lines))
        kept_lines = sum(min(MAX_VERSIONS, count + 1) for count in counts.values())
        if len(lines) + len(new) > 2 * kept_lines + MAX_VERSIONS:
            entries = [*_entries(lines), *numbered]
            kept: Iterable[Version | Mark] = chain(*_latest(entries).values(), _early_marks(entries).values())
            replace_file(disk, file, b"".join(map(line_of, kept)))
            disk.sync_directory(file.parent)
            return
        fd = disk.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            torn = b"\n" if data and not data.endswith(b"\n") else b""
            write_all(disk, fd, torn + b"".join(map(line_of, numbered)))
            disk.sync(fd)
        finally:
            disk.close(fd)


def secrets_to_references(fields: Fields) -> tuple[Json, tuple[WirePath, ...]]:
    """Return the fields with each secret replaced by its reference, and the paths of those without one.

    The values at these paths are left out, as well as fingerprints of secrets.
    """
    if is_plain_data(fields):
        return fields, ()
    hidden = tuple(path for path, value in leaves(fields) if _is_hidden(value))
    for path in hidden:
        fields = with_path_from(fields, {}, path)
    return map_secrets(fields, lambda secret: {"reference": secret.source}), hidden


def _is_hidden(value: Any) -> bool:
    """Return whether a value holds a fingerprint, or a secret without a reference."""
    match value:
        case Secret():
            return not value.is_referenced
        case Sealed():
            return True
        case dict():
            return any(map(_is_hidden, value.values()))
        case list():
            return any(map(_is_hidden, value))
        case _:
            return False


def _history_path(path: Path) -> Path:
    return companion(resolve(path), ".history.jsonl")


def _read(file: Path) -> bytes:
    with read_errors(file):
        return FileSystem().read(file) or b""


def _numbered(entry: Version | Mark, known: Mapping[str, tuple[Version, ...]]) -> Version | Mark:
    earlier = known.get(entry.name)
    return replace(entry, number=earlier[-1].number + 1 if earlier else 1)


def _latest(entries: Iterable[Version | Mark]) -> Mapping[str, tuple[Version, ...]]:
    """Return the last versions of each name, oldest first, with their marks."""
    by_name: dict[str, list[Version]] = {}
    marks: dict[tuple[str, int], Mark] = {}
    for entry in entries:
        if isinstance(entry, Mark):
            key = (entry.name, entry.number)
            earlier = marks.get(key, entry)
            marks[key] = replace(entry, former=entry.former or earlier.former)
        else:
            by_name.setdefault(entry.name, []).append(entry)
    return {
        name: tuple(_marked(version, marks) for version in group[-MAX_VERSIONS:])
        for name, group in sorted(by_name.items())
    }


def _marked(version: Version, marks: Mapping[tuple[str, int], Mark]) -> Version:
    mark = marks.get((version.name, version.number))
    return replace(version, proof=mark.proof, former=mark.former or version.former) if mark else version


def _early_marks(entries: Iterable[Version | Mark]) -> Mapping[str, Mark]:
    """Return the marks of versions after the last one of their name, by name."""
    last: dict[str, int] = {}
    marks: dict[tuple[str, int], Mark] = {}
    for entry in entries:
        if isinstance(entry, Mark):
            marks[entry.name, entry.number] = entry
        else:
            last[entry.name] = max(entry.number, last.get(entry.name, 0))
    return {mark.name: mark for mark in marks.values() if mark.proof and mark.number > last.get(mark.name, 0)}


def _entries(lines: Iterable[bytes], names: Collection[str] | None = None) -> Iterator[Version | Mark]:
    """Yield the entries of these lines, all or those of some names. The other lines are not parsed."""
    for line in lines:
        if names is not None and (name := name_of(line)) is not None and name not in names:
            continue
        entry = parse_line(line)
        if entry is not None and (names is None or entry.name in names):
            yield entry


def references_to_secrets(fields: Fields, secret: Any) -> Fields:
    """Return the fields with each reference replaced by `secret(text)`, for its text in the YAML."""

    def restore(value: Any) -> Any:
        match value:
            case {"reference": str(text)} if len(value) == 1:
                restored = secret(text)
                assert isinstance(restored, Secret | str)
                return restored
            case dict():
                return restore_items(value)
            case list():
                return [restore(item) for item in value]
            case _:
                return value

    def restore_items(tree: Any) -> Any:
        return {key: restore(item) for key, item in tree.items()}

    # The user chooses the keys of keyed maps, so a variable may have the name `reference`.
    return {
        key: restore_items(value) if key in ENDPOINT.table.keyed else restore(value)
        for key, value in fields.items()
    }
