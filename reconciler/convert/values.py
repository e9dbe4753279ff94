"""Values that several formats write alike: commands for a shell, durations, sizes, variables, ranges."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from math import ceil
from typing import Any, Final

from reconciler.convert.candidates import Candidate, Outside
from reconciler.convert.interpolation import UnknownSyntax
from reconciler.convert.notes import Outcome
from reconciler.convert.source import Found, Section, dotted
from reconciler.model.problem import Severity
from reconciler.model.values import DataPath

_SIMPLE: Final = re.compile(r"[\w./:=@%+, -]+\Z", re.ASCII)
"""A command that is the same with a shell and without one."""

_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(s|m|h|d|w)?\Z")
_SECONDS: Final = {None: 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SIZE: Final = re.compile(
    r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(MB|GB|TB|MI|GI|TI|M|G|T)?(?:\s*\.\..*|\+)?\Z", re.IGNORECASE
)
_GB: Final = {"m": 1 / 1024, "g": 1, "t": 1024}
_RANGE: Final = re.compile(r"([0-9]{1,9})?\s*\.\.\s*([0-9]{1,9})?\Z")


def new_candidate(document: Section) -> Candidate:
    """Return the endpoint of a document with one service, which its `name` names, or else its file."""
    name, origin = document.text("name"), document.origin
    return Candidate(
        name=name.value if name else origin.stem or "service",
        origin=origin,
        field=name.field if name else "name",
        place=name.place if name else origin.place(),
    )


def shell_command(script: str, shell: str) -> str:
    """Return the start command that runs a script as the tool does; a plain command needs no shell."""
    text = script.strip()
    return text if _SIMPLE.match(text) else f"{shell} -c {shlex.quote(text)}"


def note_variables(section: Section, key: str, prefix: str) -> None:
    """Note the variables that only the tool sets and that a script reads."""
    names = dict.fromkeys(re.findall(rf"\b{prefix}_[A-Z0-9_]+", str(section.data.get(key))))
    if names:
        section.change(key, f"nobody sets {', '.join(names)} here: add them to `env`", Severity.WARNING)


def seconds_of(value: Any) -> int | None:
    """Return the whole seconds of a number or of a text such as 10m; None for anything else."""
    match = _DURATION.match(str(value).strip().lower()) if not isinstance(value, bool) else None
    return None if match is None else ceil(float(match[1]) * _SECONDS[match[2]])


def gigabytes_of(value: Any) -> int | None:
    """Return the whole GB of a number or of a text such as 200GB, 100GB.. or 50+; None for anything else."""
    match = _SIZE.match(str(value).strip()) if not isinstance(value, bool) else None
    return None if match is None else ceil(float(match[1]) * _GB[(match[2] or "g")[0].lower()])


def range_of(value: Any) -> tuple[int, int] | None:
    """Return (lowest, highest) of a number, a text such as 0..4, or a mapping with min and max; else None."""
    if isinstance(value, Mapping):
        low, high = value.get("min"), value.get("max")
    elif isinstance(value, str) and (match := _RANGE.match(value.strip())) and (match[1] or match[2]):
        low, high = (int(part) if part else None for part in match.groups())
    elif isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        low = high = int(value)
    else:
        low = high = value
    low = low if low is not None else 0 if high is not None else None
    high = high if high is not None else low
    if type(low) is not int or type(high) is not int or low < 0 or low > high:
        return None
    return low, high


def put_range(candidate: Candidate, found: Found, low: int, high: int) -> None:
    """Set the worker counts. A maximum of 0 would leave no worker that could ever start."""
    if low == high and low > 0:
        candidate.put("replicas", _with(found, low))
    else:
        candidate.put("minReplicas", _with(found, low))
        candidate.put("maxReplicas", _with(found, max(high, 1)))


def put_env(candidate: Candidate, section: Section, key: str, read: Callable[[str], str | Outside]) -> None:
    """Set the variables of a mapping, or of a list of `KEY=VALUE` and `KEY`.

    `read` gives the meaning of a text, or raises UnknownSyntax. A key without a value is one of the
    environment of the user.
    """
    for name, value, path in _pairs(section, key):
        if not isinstance(name, str) or not isinstance(value, str | None):
            reason = "it is not a variable with a text"
            section.origin.note(path, Outcome.LEFT_OUT, reason, Severity.WARNING)
            continue
        try:
            meaning = Outside(variable=name) if value is None else read(value)
        except UnknownSyntax as error:
            section.origin.note(path, Outcome.LEFT_OUT, str(error), Severity.WARNING)
            continue
        place = section.origin.place(path)
        candidate.env[name] = Found(value=meaning, field=dotted(path), place=place)


def _pairs(section: Section, key: str) -> Iterator[tuple[Any, Any, DataPath]]:
    value = section.take(key)
    if isinstance(value, Mapping):
        for name, text in value.items():
            path = (*section.at(key), name)
            is_word = isinstance(text, bool | int | float)
            yield name, section.origin.written(path) or str(text) if is_word else text, path
    elif isinstance(value, list):
        for index, item in enumerate(value):
            path = (*section.at(key), index)
            if isinstance(item, str):
                name, equals, text = item.partition("=")
                yield name, text if equals else None, path
            else:
                yield None, None, path
    elif value is not None:
        section.leave(key, "it is neither a mapping nor a list")


def _with(found: Found, value: Any) -> Found:
    return Found(value=value, field=found.field, place=found.place)
