"""JSON over several lines, byte for byte as `json.dumps(indent=2)` has it, in a fraction of its time.

The standard encoder is compiled only as long as nobody asks for an indent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from json.encoder import encode_basestring
from operator import itemgetter
from typing import Any, Final

from reconciler.model.values import Json

_DEEP: Final = "\n    "
_WORDS: Final[Mapping[type, Callable[[Any], str]]] = {
    str: encode_basestring,
    int: int.__repr__,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
}
_word: Final = _WORDS.get
_ONE_LINE: Final = json.JSONEncoder(ensure_ascii=False).encode


def one_line(value: Json) -> str:
    """JSON on one line, as `json.dumps(ensure_ascii=False)` has it, which makes an encoder for each call."""
    return _ONE_LINE(value)


def pretty(value: Json, *, sort_keys: bool = False) -> str:
    """The text without a newline at its end; keys are strings. Raises TypeError for what JSON cannot hold."""
    return _text(value, "\n", sort_keys)


def pieces(document: Mapping[str, Json]) -> Iterator[str]:
    """The same text in pieces: the items of its lists one by one, so that it is never whole in memory."""
    start = "{"
    for key, value in document.items():
        yield f"{start}\n  {encode_basestring(key)}: "
        start = ","
        if isinstance(value, list) and value:
            for index, item in enumerate(value):
                yield f"{',' if index else '['}\n    {_text(item, _DEEP, False)}"
            yield "\n  ]"
        else:
            yield _text(value, "\n  ", False)
    yield "\n}" if document else "{}"


def _text(value: Json, margin: str, sort_keys: bool) -> str:
    word = _word(value.__class__)
    if word is not None:
        return word(value)
    inner = margin + "  "
    if isinstance(value, dict) and value:
        items = sorted(value.items(), key=itemgetter(0)) if sort_keys else value.items()
        lines = [
            # words here, to save a call for each
            f"{inner}{encode_basestring(key)}: {word(item)}"
            if (word := _word(item.__class__))
            else f"{inner}{encode_basestring(key)}: {_text(item, inner, sort_keys)}"
            for key, item in items
        ]
        return f"{{{','.join(lines)}{margin}}}"
    if isinstance(value, list | tuple) and value:
        lines = [
            inner + (word(item) if (word := _word(item.__class__)) else _text(item, inner, sort_keys))
            for item in value
        ]
        return f"[{','.join(lines)}{margin}]"
    return _ONE_LINE(value)
