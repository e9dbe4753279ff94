"""Parses unquoted YAML words: text, numbers, truth values, null, and words that are ambiguous.

YAML 1.1, which most tools still use, and YAML 1.2 read some words differently. If both agree, or if one of
them is clearly meant, the word has that meaning. Otherwise it is an `AmbiguousWord`, and the user
must decide.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import Any, Final

from reconciler.model.lazy_dataclass import dataclass

_WORDS: Final = {
    "null": None,
    "true": True,
    "yes": True,
    "on": True,
    "false": False,
    "no": False,
    "off": False,
}
_NAMED_VALUES: Final[dict[str, Any]] = {"": None, "~": None} | {
    spelling: meaning
    for word, meaning in _WORDS.items()
    for spelling in (word, word.capitalize(), word.upper())
}

MAX_NUMBER_LENGTH: Final = 300
"""Characters. A longer number has more digits than any program keeps."""

# Patterns that are strings are compiled at their first use: most files have only integers.
_NUMERIC: Final = (
    r"[-+]?(?:0x[0-9a-fA-F_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|(?:0o)?[0-9_+.eE-]+|0b[01_]+)\Z"
)
"""A superset of all spellings of numbers."""

_NUMBER_STARTS: Final = frozenset("0123456789+-.")
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)\Z")
_BASED: Final = r"[-+]?0(?:x[0-9a-fA-F_]+|b[01_]+)\Z"
_FLOAT: Final = (
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+"
    r"|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?)\Z"
)
_OCTAL: Final = r"([-+]?)0o?([0-7_]+)\Z"
_SEXAGESIMAL: Final = r"([-+]?)([0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)\Z"
_TOO_LARGE: Final = "a number too large to keep"
_SPECIAL: Final = r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z"


@dataclass(frozen=True, slots=True)
class AmbiguousWord:
    """A word that YAML versions read differently; `meaning` is that of YAML 1.1."""

    text: str
    meaning: str


def parse_scalar(text: str) -> Any:
    """Return the value of one unquoted word, or an `AmbiguousWord`."""
    if text in _NAMED_VALUES:
        return _NAMED_VALUES[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if len(text) > MAX_NUMBER_LENGTH:
        return AmbiguousWord(text, _TOO_LARGE) if re.match(_NUMERIC, text) else text
    if _INTEGER.match(text):
        return int(text.replace("_", ""))
    if re.match(_FLOAT, text):
        value = float(text.replace("_", ""))
        return _number(value) if isfinite(value) else AmbiguousWord(text, _TOO_LARGE)
    return _other_number(text)


def double_quoted(text: str) -> str:
    """Return the text in double quotes, as YAML and JSON spell it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def truncated(text: str) -> str:
    """Return the text with at most 60 characters, for messages."""
    return text if len(text) <= 60 else text[:59] + "…"


def type_name(value: Any) -> str:
    """Return the type of a value as a phrase for messages."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float() | AmbiguousWord():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _number(value: float) -> Any:
    """Return 1200 for 1200.0, because JSON has one type of numbers and the API expects integers."""
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _other_number(text: str) -> Any:
    if re.match(_BASED, text):
        digits = text.replace("_", "")
        return int(digits, 0) if digits[-1] not in "xX" else text
    if match := re.match(_OCTAL, text):
        digits = match[2].replace("_", "") or "0"
        return AmbiguousWord(text, str(int(match[1] + digits, 8)))
    if match := re.match(_SEXAGESIMAL, text):
        return AmbiguousWord(text, match[1] + _from_sexagesimal(match[2].replace("_", "")))
    if re.match(_SPECIAL, text):
        return AmbiguousWord(
            text, "infinity" if "n" not in text.lower().replace("inf", "") else "not a number"
        )
    return text


def _from_sexagesimal(digits: str) -> str:
    total = 0.0
    for part in digits.split(":"):
        total = total * 60 + float(part)
    return f"{total:g}" if total < 1e6 else f"{total:.0f}"
