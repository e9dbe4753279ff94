"""The entries of the history: versions of resources, and marks of their proof. Each is one line of JSON."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Any, Final

from reconciler.inventory.strict_json import loads
from reconciler.kinds.registry import KINDS, split_address
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.secrets import is_single
from reconciler.model.values import LARGEST_NUMBER, Fields
from reconciler.model.values import Path as WirePath

_SORTED: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode

_NAME: Final = b', "name": "'
_END: Final = re.compile(
    _NAME + rb'([^"\\]+)", "number": [0-9]+(?:, "proof": "[a-z]+")?(?:, "who": "[^"\\]*")?\}\Z'
)
"""The end of a line as it is written: keys are sorted, and quotes within strings are escaped. Lines of
earlier releases may end with `who`."""

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


def line_of(entry: Version | Mark) -> bytes:
    """Return an entry as a line, ending in a newline."""
    # not asdict(), which copies the fields of each version
    document = {name: getattr(entry, name) for name in type(entry).__slots__}
    for name in ("hidden", "former", "links", "proof"):
        if not document.get(name):
            document.pop(name, None)
    if isinstance(entry, Version):
        document["by"] = {key: value for key in Author.__slots__ if (value := getattr(entry.by, key))}
    return _SORTED(document).encode() + b"\n"


def name_of(line: bytes) -> str | None:
    """Return the name that a line is about, from its end; None if only parsing the line can tell."""
    match = _END.match(line, line.rfind(_NAME))
    try:
        return match[1].decode() if match else None
    except UnicodeDecodeError:
        return None


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
