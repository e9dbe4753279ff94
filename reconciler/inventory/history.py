"""The history for rollbacks: each version that was applied to an endpoint, in a file beside the map.

The file has one line for each version. A secret is written as its reference, never as its value; a secret
without a reference is only named. The last twenty versions of an endpoint are kept; the file is rewritten
when it has more than twice as many lines.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

from reconciler.inventory.errors import read_errors, write_errors
from reconciler.inventory.files import FileSystem, companion, replace_file, resolve, write_all
from reconciler.inventory.strict_json import loads
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place
from reconciler.model.secrets import Sealed, Secret, is_single, map_secrets
from reconciler.model.values import LARGEST_NUMBER, Fields, Json, is_plain_data, leaves, with_path_from
from reconciler.model.values import Path as WirePath

_SORTED: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode

_NAME: Final = b', "name": "'
_END: Final = re.compile(_NAME + rb'([^"\\]+)", "number": [0-9]+(?:, "who": "[^"\\]*")?\}\Z')
"""The end of a line as it is written: keys are sorted, and quotes within strings are escaped. Lines of
earlier releases may end with `who`."""

MAX_VERSIONS: Final = 20
"""Versions of one endpoint (count)."""


DELETED: Final = "delete"
"""The action of a version that records the deletion of the endpoint, and to which nothing can return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who applied a version, and from what. Unknown values are empty.

    who: USER@HOST, the user of a CI job, or the client of a server. command: the command, such as `apply`.
    commit: the git commit (SHA) of the files, which differ from it if `is_dirty`. run_url: the page of the
    CI run. message: the text of `--message`.
    """

    who: str = ""
    command: str = ""
    commit: str = ""
    is_dirty: bool = False
    run_url: str = ""
    message: str = ""


UNKNOWN_AUTHOR: Final = Author()


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One applied version. `number` counts from 1 for each name. `at` is a time in UTC (ISO 8601).

    In `fields`, the normal form, `{"reference": "${env:NAME}"}` stands for a secret. `hidden` are the paths
    of values that are not in `fields`, because they were secrets without a reference.
    """

    name: str
    number: int
    at: str
    action: str
    id: str
    app_name: str
    fields: Fields
    hidden: tuple[WirePath, ...] = ()
    by: Author = UNKNOWN_AUTHOR

    @property
    def is_deletion(self) -> bool:
        """True if this version records that the endpoint was deleted."""
        return self.action == DELETED


def history(path: Path, names: Collection[str] | None = None) -> Mapping[str, tuple[Version, ...]]:
    """Return the kept versions of each endpoint or of these, oldest first. Skip lines that cannot be read."""
    return _latest(_versions(_read(_history_path(path)).splitlines(), names))


def find_damage(path: Path, name: str | None = None) -> Place | None:
    """Return the place of the first line that is JSON and not a version: it was edited, not torn.

    With a name, lines that are about another one are left out.
    """
    file = _history_path(path)
    data = _read(file)
    for number, line in enumerate(data.split(b"\n"), 1):
        if name is not None and _name_of(line) not in (name, None):
            continue
        if line.strip() and _parse(line) is None and not _is_torn(line):
            return Place(file=str(file), line=number, column=1)
    return None


def append_versions(path: Path, versions: Iterable[Version]) -> None:
    """Append versions, and number them after the existing ones. The caller holds the inventory's lock."""
    new = list(versions)
    if not new:
        return
    file, disk = _history_path(path), FileSystem()
    with write_errors(file, saved="The endpoints are recorded; only their history is not"):
        data = disk.read(file) or b""
        lines = data.splitlines()
        known = _latest(_versions(lines, {version.name for version in new}))
        numbered = [_numbered(version, known) for version in new]
        counts = Counter(map(_name_of, lines))
        kept_lines = sum(min(MAX_VERSIONS, count + 1) for count in counts.values())
        if len(lines) + len(new) > 2 * kept_lines + MAX_VERSIONS:
            latest = _latest(chain(_versions(lines), numbered))
            replace_file(disk, file, b"".join(map(_line, chain(*latest.values()))))
            disk.sync_directory(file.parent)
            return
        fd = disk.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            torn = b"\n" if data and not data.endswith(b"\n") else b""
            write_all(disk, fd, torn + b"".join(map(_line, numbered)))
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


def _numbered(version: Version, known: Mapping[str, tuple[Version, ...]]) -> Version:
    earlier = known.get(version.name)
    return replace(version, number=earlier[-1].number + 1 if earlier else 1)


def _latest(versions: Iterable[Version]) -> Mapping[str, tuple[Version, ...]]:
    by_name: dict[str, list[Version]] = {}
    for version in versions:
        by_name.setdefault(version.name, []).append(version)
    return {name: tuple(group[-MAX_VERSIONS:]) for name, group in sorted(by_name.items())}


def _line(version: Version) -> bytes:
    # not asdict(), which copies the fields of each version
    document = {name: getattr(version, name) for name in Version.__slots__}
    if not version.hidden:
        del document["hidden"]
    document["by"] = {key: value for key in Author.__slots__ if (value := getattr(version.by, key))}
    return _SORTED(document).encode() + b"\n"


def _versions(lines: Iterable[bytes], names: Collection[str] | None = None) -> Iterator[Version]:
    """Yield the versions in these lines, all or those of some names. The other lines are not parsed."""
    for line in lines:
        if names is not None and (name := _name_of(line)) is not None and name not in names:
            continue
        version = _parse(line)
        if version is not None and (names is None or version.name in names):
            yield version


def _name_of(line: bytes) -> str | None:
    """Return the name that a line is about, from its end; None if only parsing the line can tell."""
    match = _END.match(line, line.rfind(_NAME))
    try:
        return match[1].decode() if match else None
    except UnicodeDecodeError:
        return None


def _parse(line: bytes) -> Version | None:
    try:
        document = loads(line.decode(), dict)
        by = {"who": document.pop("who", ""), **document.pop("by", {})}
        hidden = tuple(tuple(map(_text, path)) for path in document.pop("hidden", ()))
        version = Version(**document, by=Author(**by), hidden=hidden)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    texts = (version.name, version.at, version.action, version.id, version.app_name)
    is_valid = (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(value, bool if key == "is_dirty" else str) for key, value in by.items())
        and type(version.number) is int
        and 0 < version.number <= LARGEST_NUMBER
        and isinstance(version.fields, dict)
        and not any(ENDPOINT.misfits(version.fields, "fields", _is_single))
    )
    return version if is_valid else None


def _text(step: object) -> str:
    if not isinstance(step, str):
        raise TypeError(step)
    return step


def _is_torn(line: bytes) -> bool:
    try:
        json.loads(line)
    except json.JSONDecodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def _is_single(value: Any) -> bool:
    """Return whether it is a single value, or the reference of a secret."""
    match value:
        case {"reference": str()}:
            return len(value) == 1
        case _:
            return is_single(value)


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
