"""JSON as a server may write it: one value that Python cannot hold must not cost the rest of the answer."""

from __future__ import annotations

import json
import re
from math import inf
from typing import Final

from reconciler.model.values import Json

DEEPEST: Final = 100
"""Levels that are kept of an answer that nests too deep to be read as it is."""

_MOST_DIGITS: Final = 400
"""Of a number. Python refuses to read some thousands of them, and a float holds 308."""

_PART: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


def json_of(body: bytes) -> Json:
    """The value of a JSON text. A number too long is infinite, and what is nested too deep is a null.

    Raises ValueError when it is no JSON.
    """
    try:
        return json.loads(body)
    except RecursionError:
        return json.loads(_shallow(body.decode("utf-8", "surrogateescape")), parse_int=_int)
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError:
        return json.loads(body.decode("utf-8", "surrogateescape"), parse_int=_int)
    except ValueError:
        return json.loads(body, parse_int=_int)


def _int(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else -inf if digits.startswith("-") else inf


def _shallow(text: str) -> str:
    """The text with a null in place of every array and object below the deepest level that is kept."""
    kept: list[str] = []
    depth = start = 0
    for part in _PART.finditer(text):
        if part[0] in "[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept += (text[start : part.start()], "null")
        elif part[0] in "]}":
            if depth == DEEPEST + 1:
                start = part.end()
            depth -= 1
    return "".join((*kept, text[start:]))
