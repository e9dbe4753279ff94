"""The entries of the history: versions of resources, and marks of their proof. Each is one line of JSON."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from itertools import chain
from typing import Any, Final

from reconciler.inventory.strict_json import loads
from reconciler.kinds.registry import KINDS, split_address
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.secrets import is_single
from reconciler.model.values import LARGEST_NUMBER, Fields
from reconciler.model.values import Path as WirePath

_SORTED: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode

_VERSION: Final = b'{"action": "'
"""The start of a line about a version. A mark has no action."""

_NAME: Final = b', "name": "'
_END: Final = re.compile(
    _NAME + rb'([^"\\]+)", "number": ([1-9][0-9]{0,17})(?:, "proof": "[a-z]+")?(?:, "who": "[^"\\]*")?\}\Z'
)
"""The end of a line as it is written: keys are sorted, and quotes within strings are escaped. Lines of
earlier releases may end with `who`."""

MAX_VERSIONS: Final = 20
"""Versions of one endpoint that are kept (count)."""

DELETED: Final = "delete"
"""The action of a version that records the deletion of the resource, and to which nothing can return."""


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


class Proof(StrEnum):
    """The proof of a version. UNPROVED: its probe was to be sent, and the result is not known."""

    PROVED = "proved"
    UNPROVED = "unproved"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The proof of one version, recorded at a time in UTC (ISO 8601). `proof` None takes earlier marks back.

    The version may not be recorded yet. `former` are the IDs of workers from before its change, which prove
    nothing.
    """

    name: str
    number: int
    at: str
    proof: Proof | None
    former: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One applied version. `number` counts from 1 for each name. `at` is a time in UTC (ISO 8601).

    `name` is that of an endpoint, or the address of another resource.
    In `fields`, the normal form, `{"reference": "${env:NAME}"}` stands for a secret. `hidden` are the paths
    of values that are not in `fields`, because they were secrets without a reference. `links` are the paths
    whose ID was declared by a name, with the address of the resource. `proof` is None if no probe was to be
    sent; `former` are the workers of its mark.
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
    proof: Proof | None = None
    former: tuple[str, ...] = ()
    links: tuple[tuple[WirePath, str], ...] = ()

    @property
    def kind(self) -> str:
        """The type of the resource."""
        return split_address(self.name)[0]

    @property
    def is_deletion(self) -> bool:
        """True if this version records that the resource was deleted."""
        return self.action == DELETED


def line_of(entry: Version | Mark, number: int = 0) -> bytes:
    """Return an entry as a line, ending in a newline; `number` is that of an entry that has none yet."""
    # not asdict(), which copies the fields of each version
    document = {name: getattr(entry, name) for name in type(entry).__slots__}
    document["number"] = entry.number or number
    for name in ("hidden", "former", "links", "proof"):
        if not document.get(name):
            document.pop(name, None)
    if isinstance(entry, Version):
        document["by"] = {key: value for key in Author.__slots__ if (value := getattr(entry.by, key))}
    return _SORTED(document).encode() + b"\n"


def name_of(line: bytes) -> str | None:
    """Return the name that a line is about, from its end; None if only parsing the line can tell."""
    end = _end_of(line)
    return end[0] if end else None


def _end_of(line: bytes) -> tuple[str, int] | None:
    """Return the name and the number at the end of a line; None if only parsing the line can tell."""
    match = _END.match(line, line.rfind(_NAME))
    try:
        return (match[1].decode(), int(match[2])) if match else None
    except UnicodeDecodeError:
        return None


def last_numbers(lines: Iterable[bytes], names: Collection[str]) -> Mapping[str, int]:
    """Return the number of the last version of each of these names that has one.

    It is read from the end of a line, as most lines have it, and a whole line is parsed if not.
    """
    found: dict[str, int] = {}
    for line in lines:
        end = _end_of(line) if line.startswith(_VERSION) else None
        if end is None and isinstance(entry := parse_line(line), Version):
            end = entry.name, entry.number
        if end is not None and end[0] in names:
            found[end[0]] = end[1]
    return found


def parse_line(line: bytes) -> Version | Mark | None:
    """Return the entry of a line; None if it is none."""
    try:
        document = loads(line.decode(), dict)
        proof = document.pop("proof", None)
        marked: dict[str, Any] = {
            "proof": None if proof is None else Proof(proof),
            "former": tuple(map(_text, document.pop("former", ()))),
        }
        entry = _version(document, marked) if "action" in document else Mark(**document, **marked)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    is_valid = (
        isinstance(entry.name, str)
        and isinstance(entry.at, str)
        and type(entry.number) is int
        and 0 < entry.number <= LARGEST_NUMBER
        and (isinstance(entry, Mark) or _is_valid(entry))
    )
    return entry if is_valid else None


def _version(document: dict[str, Any], marked: dict[str, Any]) -> Version:
    by = {"who": document.pop("who", ""), **document.pop("by", {})}
    hidden = tuple(tuple(map(_text, path)) for path in document.pop("hidden", ()))
    links = tuple((tuple(map(_text, path)), _text(used)) for path, used in document.pop("links", ()))
    return Version(**document, **marked, by=Author(**by), hidden=hidden, links=links)


def _is_valid(version: Version) -> bool:
    return (
        all(isinstance(text, str) for text in (version.action, version.id, version.app_name))
        and all(
            isinstance(getattr(version.by, key), bool if key == "is_dirty" else str)
            for key in Author.__slots__
        )
        and isinstance(version.fields, dict)
        and not any(KINDS[version.kind].misfits(version.fields, "fields", _is_single))
    )


def _text(step: object) -> str:
    if not isinstance(step, str):
        raise TypeError(step)
    return step


def is_torn(line: bytes) -> bool:
    """Return whether a line is not JSON, because its end was not written."""
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


def entries_of(lines: Iterable[bytes], names: Collection[str] | None = None) -> Iterator[Version | Mark]:
    """Yield the entries of these lines, all or those of some names. The other lines are not parsed."""
    for line in lines:
        if names is not None and (name := name_of(line)) is not None and name not in names:
            continue
        entry = parse_line(line)
        if entry is not None and (names is None or entry.name in names):
            yield entry


def latest_versions(entries: Iterable[Version | Mark]) -> Mapping[str, tuple[Version, ...]]:
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


def early_marks(entries: Iterable[Version | Mark]) -> Mapping[str, Mark]:
    """Return the marks of versions after the last one of their name, by name."""
    last: dict[str, int] = {}
    marks: dict[tuple[str, int], Mark] = {}
    for entry in entries:
        if isinstance(entry, Mark):
            marks[entry.name, entry.number] = entry
        else:
            last[entry.name] = max(entry.number, last.get(entry.name, 0))
    return {mark.name: mark for mark in marks.values() if mark.proof and mark.number > last.get(mark.name, 0)}


def is_too_long(data: bytes, new: Collection[str] = ()) -> bool:
    """Return whether a history should be written again with `kept_lines`. `new`: the names of new lines."""
    lines = data.splitlines()
    counts = Counter(map(name_of, lines))
    kept = sum(min(MAX_VERSIONS, count + 1) for count in counts.values()) + len({*new} - counts.keys())
    return len(lines) + len(new) > 2 * kept + MAX_VERSIONS


def kept_lines(data: bytes) -> bytes:
    """Return the lines of a history that are kept: the last versions of each name, and its early marks."""
    entries = list(entries_of(data.splitlines()))
    kept: Iterable[Version | Mark] = chain(*latest_versions(entries).values(), early_marks(entries).values())
    return b"".join(map(line_of, kept))
