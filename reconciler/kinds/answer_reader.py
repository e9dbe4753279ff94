"""Reads typed values out of an answer, and remembers the paths of those that have another form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from sys import intern
from typing import Any, Final, TypeGuard

from reconciler.model.values import LARGEST_NUMBER, Json, Path

_DIGITS: Final = re.compile(r"-?[0-9]{1,20}")


def number(value: object) -> int | None:
    """Return an int from an int or a digit string; None from anything else, or beyond 64 bits."""
    result: int | None = None
    if value.__class__ is int:
        result = value
    elif isinstance(value, str):
        is_short = len(value) <= 18 and value.isascii() and value.isdecimal()  # the pattern is slower
        result = int(value) if is_short or _DIGITS.fullmatch(value) else None
    elif isinstance(value, float) and value.is_integer():
        result = int(value)
    return result if result is not None and -LARGEST_NUMBER <= result <= LARGEST_NUMBER else None


def items_of(answer: Json, key: str) -> list[Json]:
    """Return the items of a listing. Raise ValueError if the answer is no listing."""
    if not isinstance(answer, Mapping) or key not in answer:
        raise ValueError(f"no `{key}` in the answer")
    items = answer[key]
    if items is not None and not isinstance(items, list):
        raise ValueError(f"`{key}` is not a list")
    return items or []


def moment(value: object) -> datetime | None:
    """Return a time in UTC from epoch seconds, also as digits, or from RFC 3339; None from anything else.

    The year 1 stands for no time: this is how Go writes one that is not set.
    """
    if not value:
        return None
    seconds = number(value)
    try:
        if seconds is not None:
            return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
        if not isinstance(value, str):
            return None
        time = datetime.fromisoformat(value)
        time = time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return time if time.year > 1 else None


def is_unset_moment(value: object) -> bool:
    """Return True for each form of a time that is not set."""
    return is_empty(value) or number(value) in (0, -1) or str(value).startswith("0001-01-01")


def text(value: object) -> str | None:
    """Return a text, also from a number; None from anything else, and from text with a lone surrogate.

    Equal texts are one object, that of the YAML and of the inventory too: this saves a tenth of the memory of
    a large plan.
    """
    if isinstance(value, str):
        return intern(value) if value.isprintable() or _is_utf8(value) else None
    is_number = value.__class__ is int and number(value) is not None
    if is_number or (isinstance(value, float) and isfinite(value)):
        return intern(str(value))
    return None


def is_id(value: object) -> TypeGuard[str]:
    """Return True if a value can be an ID, which is part of plans, commands and files."""
    return isinstance(value, str) and value != "" and value.isprintable()


class AnswerReader:
    """The reading of one answer. `unread` are the paths of values that have another form than expected."""

    def __init__(self) -> None:
        self.unread: list[Path] = []

    def texts(self, holder: Mapping[str, Any], at: Path, *keys: str) -> dict[str, Any]:
        """Return the texts under these keys that are reported and not empty."""
        texts: dict[str, Any] = {}
        for key in keys:
            value = holder.get(key)
            if value and (readable := self.text(value, (*at, key))):
                texts[key] = readable
        return texts

    def text(self, value: object, path: Path) -> str:
        """Return a text, or "" if it is not reported or cannot be read."""
        if not value:
            return ""
        readable = text(value)
        if readable is None:
            self.unread.append(path)
            return ""
        return readable

    def name(self, value: object) -> str:
        """Return a name, or "". A name that is not reported is unread too."""
        name = text(value) if value else None
        if not name:
            self.unread.append(("name",))
        return name or ""

    def number(self, holder: Mapping[str, Any], path: Path) -> int | None:
        """Return the number at the last step of the path."""
        value = holder.get(path[-1])
        result = number(value)
        if result is None and value is not None and not is_empty(value):
            self.unread.append(path)
        return result

    def moment(self, holder: Mapping[str, Any], key: str) -> datetime | None:
        """Return the time under this key."""
        value = holder.get(key)
        result = moment(value)
        if result is None and not is_unset_moment(value):
            self.unread.append((key,))
        return result

    def object(self, holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """Return an object; an empty one if it is not reported."""
        value = holder.get(key)
        if isinstance(value, dict):
            return value
        if value:
            self.unread.append((key,))
        return {}

    def items(self, holder: Mapping[str, Any], key: str, inner: str) -> list[Mapping[str, Any]]:
        """Return the objects of a list that have the `inner` key. All other items must be empty."""
        value = holder.get(key)
        if value.__class__ is not list:
            if not is_empty(value):
                self.unread.append((key,))
            return []
        objects: list[Mapping[str, Any]] = [
            item for item in value if item.__class__ is dict and inner in item
        ]
        if len(objects) < len(value) and len(objects) + sum(map(is_empty, value)) < len(value):
            self.unread.append((key,))
        return objects

    def unread_as_a_whole(self, key: str, since: int) -> None:
        """Count the whole list as unread if a part of it could not be read."""
        if len(self.unread) > since:
            self.unread[since:] = [(key,)]


def is_empty(value: object) -> bool:
    """Return True for null and for an empty text, list or object; zero and false are values."""
    return value is None or (isinstance(value, str | list | dict) and not value)


def _is_utf8(value: str) -> bool:
    """Return True if the text can be written as UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
