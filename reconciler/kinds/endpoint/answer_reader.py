"""Takes the values of an answer that can be read, and remembers where it found one that cannot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from sys import intern
from typing import Any, Final, TypeGuard

from reconciler.model.values import LARGEST_NUMBER, Path

_DIGITS: Final = re.compile(r"-?[0-9]{1,20}")


def number(value: object) -> int | None:
    """An int from an int or a digit string; None from anything that is neither, or beyond 64 bits."""
    found: int | None = None
    if value.__class__ is int:
        found = value
    elif (isinstance(value, float) and value.is_integer()) or (
        isinstance(value, str) and _DIGITS.fullmatch(value)
    ):
        found = int(value)
    return found if found is not None and -LARGEST_NUMBER <= found <= LARGEST_NUMBER else None


def text(value: object) -> str | None:
    """A text, also from a number; None from anything else, and from one with half a character in it.

    The same object as the one of the YAML and of the inventory: a tenth of the memory of a large plan.
    """
    if isinstance(value, str):
        return intern(value) if value.isprintable() or _is_whole(value) else None
    is_number = value.__class__ is int and number(value) is not None
    if is_number or (isinstance(value, float) and isfinite(value)):
        return intern(str(value))
    return None


def is_id(value: object) -> TypeGuard[str]:
    """Whether it can be the ID of an endpoint: it stands in plans, commands and files."""
    return isinstance(value, str) and value != "" and value.isprintable()


class Reading:
    """Takes values out of an answer and remembers the paths of those that cannot be read."""

    def __init__(self) -> None:
        self.unread: list[Path] = []

    def texts(self, holder: Mapping[str, Any], at: Path, *keys: str) -> dict[str, Any]:
        """Those of its texts that are some."""
        found: dict[str, Any] = {}
        for key in keys:
            value = holder.get(key)
            if not value:
                continue  # not reported
            said = text(value)
            if said is None:
                self.unread.append((*at, key))
            else:
                found[key] = said
        return found

    def number(self, holder: Mapping[str, Any], path: Path) -> int | None:
        value = holder.get(path[-1])
        found = number(value)
        if found is None and value is not None and not is_nothing(value):
            self.unread.append(path)
        return found

    def object(self, holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """An object; an empty one when it is not reported."""
        value = holder.get(key)
        if isinstance(value, dict):
            return value
        if value:
            self.unread.append((key,))
        return {}

    def items(self, holder: Mapping[str, Any], key: str, inner: str) -> list[Mapping[str, Any]]:
        """The objects of a list that have the `inner` key. One that has not must be empty."""
        value = holder.get(key)
        if value.__class__ is not list:
            if not is_nothing(value):
                self.unread.append((key,))
            return []
        found: list[Mapping[str, Any]] = [item for item in value if item.__class__ is dict and inner in item]
        if len(found) < len(value) and len(found) + sum(map(is_nothing, value)) < len(value):
            self.unread.append((key,))
        return found

    def as_whole(self, key: str, since: int) -> None:
        """Where a part of a list could not be read, nobody knows the list."""
        if len(self.unread) > since:
            self.unread[since:] = [(key,)]


def is_nothing(value: object) -> bool:
    """Whether an answer says nothing by it; a zero and a false are words."""
    return value is None or (isinstance(value, str | list | dict) and not value)


def _is_whole(value: str) -> bool:
    """Whether it can be written as UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
