"""What an unquoted YAML word means: text, number, truth value, nothing, or something YAML bends.

YAML 1.1, which most tools still read, and YAML 1.2, which everybody expects, disagree on some words. Where
they agree, or where one of them is plainly meant, the meaning is taken; where they do not, the word is `Bent`
and the user is asked to say which.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

_WORDS: Final = {
    "null": None,
    "true": True,
    "yes": True,
    "on": True,
    "false": False,
    "no": False,
    "off": False,
}
_FIXED: Final[dict[str, Any]] = {"": None, "~": None} | {
    spelling: meaning
    for word, meaning in _WORDS.items()
    for spelling in (word, word.capitalize(), word.upper())
}

LONGEST: Final = 300
"""Characters; a longer number says more than any program keeps."""

_NUMERIC: Final = re.compile(
    r"[-+]?(?:0x[0-9a-fA-F_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|(?:0o)?[0-9_+.eE-]+|0b[01_]+)\Z"
)
"""All that may be a number in some spelling, without a look at how it is put together."""

_STARTS: Final = frozenset("0123456789+-.")
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)\Z")
_BASED: Final = re.compile(r"[-+]?0(?:x[0-9a-fA-F_]+|b[01_]+)\Z")
_FLOAT: Final = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?)\Z"
)
_OCTAL: Final = re.compile(r"([-+]?)0o?([0-7_]+)\Z")
_SIXTIES: Final = re.compile(r"([-+]?)([0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)\Z")
_TOO_LARGE: Final = "a number too large to keep"
_ENDLESS: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")


@dataclass(frozen=True, slots=True)
class Bent:
    """A word that YAML reads as something else than it looks: `reads` is what YAML 1.1 makes of it."""

    text: str
    reads: str


def plain(text: str) -> Any:
    """The meaning of one unquoted word; a `Bent` where nobody can say."""
    if text in _FIXED:
        return _FIXED[text]
    if text[0] not in _STARTS:
        return text
    if len(text) > LONGEST:
        return Bent(text, _TOO_LARGE) if _NUMERIC.match(text) else text
    if _INTEGER.match(text):
        return int(text.replace("_", ""))
    if _FLOAT.match(text):
        value = float(text.replace("_", ""))
        return _number(value) if isfinite(value) else Bent(text, _TOO_LARGE)
    return _odd(text)


def quoted(text: str) -> str:
    """The word as it is written to make it text."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def shortened(text: str) -> str:
    """A value in a sentence: its beginning, where it is long."""
    return text if len(text) <= 60 else text[:59] + "…"


def kind_of(value: Any) -> str:
    """What a value is, in a user's words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float() | Bent():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _number(value: float) -> Any:
    """1200.0 is 1200: JSON knows one kind of number, and an API that wants whole ones gets them."""
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _odd(text: str) -> Any:
    if _BASED.match(text):
        digits = text.replace("_", "")
        return int(digits, 0) if digits[-1] not in "xX" else text
    if found := _OCTAL.match(text):
        digits = found[2].replace("_", "") or "0"
        return Bent(text, str(int(found[1] + digits, 8)))
    if found := _SIXTIES.match(text):
        return Bent(text, found[1] + _sixties(found[2].replace("_", "")))
    if _ENDLESS.match(text):
        return Bent(
            text, "a number without end" if "n" not in text.lower().replace("inf", "") else "no number at all"
        )
    return text


def _sixties(digits: str) -> str:
    total = 0.0
    for part in digits.split(":"):
        total = total * 60 + float(part)
    return f"{total:g}" if total < 1e6 else f"{total:.0f}"
