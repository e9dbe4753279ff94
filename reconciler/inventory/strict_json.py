"""Strict parsing of JSON that this program wrote. What it never writes is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import isfinite
from typing import Any, Final, NoReturn

from reconciler.model.encoding import json_bytes
from reconciler.model.values import Json

_SURROGATE: Final = re.compile(r"\\u[dD]")


class Malformed(ValueError):
    """JSON that is not a valid record, intent or journal entry. Its text is a message for the user."""


def loads(text: str, build: Callable[[list[tuple[str, Any]]], Any]) -> Json:
    """Return the value of a JSON text; `build` makes an object of its pairs.

    Raise JSONDecodeError, RecursionError, and Malformed for values that `json` accepts but JSON lacks:
    `NaN`, infinite numbers and unpaired surrogates.
    """
    try:
        value = json.loads(text, object_pairs_hook=build, parse_constant=_no_number, parse_float=_float)
    except (Malformed, json.JSONDecodeError):
        raise
    except ValueError as error:  # Python parses at most 4,300 digits
        raise Malformed("it holds a number of too many digits") from error
    if _SURROGATE.search(text):
        _refuse_surrogates(value)
    return value


def _no_number(word: str) -> NoReturn:
    raise Malformed(f"{word} is no number")


def _float(text: str) -> float:
    if isfinite(number := float(text)):
        return number
    raise Malformed("it holds a number that is too large")


def _refuse_surrogates(value: Json) -> None:
    try:
        json_bytes(value, lambda _: None)
    except UnicodeEncodeError as error:
        raise Malformed("it has an unpaired surrogate, such as \\ud800") from error
