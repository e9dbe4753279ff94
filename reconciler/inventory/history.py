"""What was applied to each endpoint, version by version: the way back. Kept beside the map.

One line a version. A secret stands as the reference that it came from, never as its value. The last twenty
versions of an endpoint count; the file is written anew when it holds more than twice as many lines as count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from reconciler.inventory.errors import read_errors, write_errors
from reconciler.inventory.files import FileSystem, companion, replace_file, resolve, write_all
from reconciler.inventory.strict_json import loads
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.problem import Place
from reconciler.model.secrets import Secret, is_single, map_secrets
from reconciler.model.values import LARGEST_NUMBER, Fields, Json

_SORTED: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode

MAX_VERSIONS: Final = 20
"""Versions of one endpoint (count)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One applied version. `number` counts from 1 for each name; `at` is UTC, ISO 8601.

    In `fields`, the normal form, `{"reference": "${env:NAME}"}` stands for a secret.
    """

    name: str
    number: int
    at: str
    action: str
    id: str
    app_name: str
    fields: Fields


def history(path: Path) -> Mapping[str, tuple[Version, ...]]:
    """The kept versions of every endpoint, oldest first. A line that cannot be read is passed over."""
    file = _file(path)
    with read_errors(file):
        data = FileSystem().read(file) or b""
    return _kept(version for line in data.splitlines() if (version := _parsed(line)) is not None)


def find_damage(path: Path) -> Place | None:
    """Where the first line stands that is JSON and no version: it was edited, while a torn one is no JSON."""
    file = _file(path)
    with read_errors(file):
        data = FileSystem().read(file) or b""
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip() and _parsed(line) is None and not _is_torn(line):
            return Place(file=str(file), line=number, column=1)
    return None


def append_versions(path: Path, versions: Iterable[Version]) -> None:
    """Append versions, numbered after those that are there. The caller holds the inventory's lock."""
    new = list(versions)
    if not new:
        return
    file, disk = _file(path), FileSystem()
    with write_errors(file, saved="The endpoints are recorded; only the way back to them is not"):
        data = disk.read(file) or b""
        lines = data.splitlines()
        known = _kept(version for line in lines if (version := _parsed(line)) is not None)
        numbered = [_numbered(version, known) for version in new]
        if (
            len(lines) + len(new)
            > 2 * sum(min(MAX_VERSIONS, len(found) + 1) for found in known.values()) + MAX_VERSIONS
        ):
            all_kept = _kept((*(v for found in known.values() for v in found), *numbered))
            replace_file(disk, file, b"".join(_line(v) for found in all_kept.values() for v in found))
            disk.sync_directory(file.parent)
            return
        fd = disk.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            torn = b"\n" if data and not data.endswith(b"\n") else b""
            write_all(disk, fd, torn + b"".join(map(_line, numbered)))
            disk.sync(fd)
        finally:
            disk.close(fd)


def secrets_to_references(fields: Fields) -> Json | None:
    """The fields with each secret replaced by where it came from; None where one came from no reference."""
    secrets: list[Secret] = []

    def referred(secret: Secret) -> Json:
        secrets.append(secret)
        return {"reference": secret.source}

    written = map_secrets(fields, referred)
    return written if all(secret.is_referenced for secret in secrets) else None


def _file(path: Path) -> Path:
    return companion(resolve(path), ".history.jsonl")


def _numbered(version: Version, known: Mapping[str, tuple[Version, ...]]) -> Version:
    found = known.get(version.name)
    number = found[-1].number + 1 if found else 1
    return Version(**{**_as_dict(version), "number": number})


def _kept(versions: Iterable[Version]) -> Mapping[str, tuple[Version, ...]]:
    found: dict[str, list[Version]] = {}
    for version in versions:
        found.setdefault(version.name, []).append(version)
    return {name: tuple(all_[-MAX_VERSIONS:]) for name, all_ in sorted(found.items())}


def _as_dict(version: Version) -> dict[str, Any]:
    return {name: getattr(version, name) for name in Version.__slots__}


def _line(version: Version) -> bytes:
    return _SORTED(_as_dict(version)).encode() + b"\n"


def _parsed(line: bytes) -> Version | None:
    try:
        found = Version(**loads(line.decode(), dict))
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (found.name, found.at, found.action, found.id, found.app_name)
    is_sound = (
        all(isinstance(text, str) for text in texts)
        and type(found.number) is int
        and 0 < found.number <= LARGEST_NUMBER
        and isinstance(found.fields, dict)
        and not any(ENDPOINT.misfits(found.fields, "fields", _is_single))
    )
    return found if is_sound else None


def _is_torn(line: bytes) -> bool:
    try:
        json.loads(line)
    except json.JSONDecodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def _is_single(value: Any) -> bool:
    """Whether it is one value, or the reference that stands for a secret."""
    match value:
        case {"reference": str()}:
            return len(value) == 1
        case _:
            return is_single(value)


def references_to_secrets(fields: Fields, secret: Any) -> Fields:
    """The fields with each reference replaced by `secret(text)`: a Secret for the text in the YAML."""

    def revive(value: Any) -> Any:
        match value:
            case {"reference": str(text)} if len(value) == 1:
                found = secret(text)
                assert isinstance(found, Secret | str)
                return found
            case dict():
                return each(value)
            case list():
                return [revive(item) for item in value]
            case _:
                return value

    def each(tree: Any) -> Any:
        return {key: revive(item) for key, item in tree.items()}

    # the keys of these maps are the user's, and `reference` is a good name for a variable
    return {key: each(value) if key in ENDPOINT.keyed else revive(value) for key, value in fields.items()}
