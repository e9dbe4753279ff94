"""JSON encoders. Only this module uses orjson, which is ten times as fast as the standard library.

Values that orjson refuses (lone surrogates, numbers beyond 64 bits) go to the standard library. Other types
raise TypeError, so that a secret cannot become text by accident.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from json.encoder import encode_basestring
from typing import Any, Final

_ENCODE_LINE: Final = json.JSONEncoder(ensure_ascii=False).encode


def _refuse(value: Any) -> Any:
    raise TypeError(f"a {type(value).__name__} is not JSON")


def json_line(value: Any) -> str:
    """Return JSON on one line, with spaces, like `json.dumps(ensure_ascii=False)`."""
    if value.__class__ is str:  # a call of the encoder is slow
        return encode_basestring(value)
    return str(value) if value.__class__ is int else _ENCODE_LINE(value)


def json_indented(value: Any, default: Callable[[Any], Any] = _refuse, *, sort_keys: bool = False) -> str:
    """Return JSON indented by two spaces, like `json.dumps(indent=2)`, without a final newline.

    `default` converts other types or raises TypeError.
    """
    encoded = _orjson(value, default, indent=True, sort_keys=sort_keys)
    if encoded is None:
        return json.dumps(value, indent=2, ensure_ascii=False, default=default, sort_keys=sort_keys)
    return encoded.decode()


def json_chunks(
    document: Mapping[str, Any], *, compact: bool = False, is_open: bool = False
) -> Iterator[str]:
    """Yield `json_indented(document)` in chunks, one item of a list or an iterator at a time, to save memory.

    With `compact`, each item is on one line. With `is_open`, the closing brace is left out.
    """
    start = "{"
    for key, value in document.items():
        yield f"{start}\n  {json_line(key)}: "
        start = ","
        if isinstance(value, list | Iterator):
            opening = "["
            for item in value:
                text = json_bytes(item).decode() if compact else _indented(item, 4)
                yield f"{opening}\n    {text}"
                opening = ","
            yield "[]" if opening == "[" else "\n  ]"
        else:
            yield _indented(value, 2)
    if not is_open:
        yield "\n}" if document else "{}"


def json_bytes(value: Any, default: Callable[[Any], Any] = _refuse, *, sort_keys: bool = False) -> bytes:
    """Return JSON on one line without spaces, UTF-8. `default` converts other types or raises TypeError."""
    encoded = _orjson(value, default, sort_keys=sort_keys)
    if encoded is not None:
        return encoded
    return json.dumps(
        value, separators=(",", ":"), ensure_ascii=False, default=default, sort_keys=sort_keys
    ).encode()


def is_json(value: Any) -> bool:
    """Return True if orjson encodes the value, which is faster than a walk through it. No secret is JSON."""
    try:
        return _orjson(value) is not None
    except TypeError:
        return False


def _orjson(
    value: Any,
    default: Callable[[Any], Any] = _refuse,
    *,
    indent: bool = False,
    sort_keys: bool = False,
) -> bytes | None:
    """Return None for values that orjson refuses. Raise the errors of `default` unchanged."""
    import orjson

    option = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME  # a `Secret` is a dataclass
    if indent:
        option |= orjson.OPT_INDENT_2
    if sort_keys:
        option |= orjson.OPT_SORT_KEYS
    try:
        return orjson.dumps(value, default, option)
    except TypeError as error:
        if error.__cause__ is not None:  # for example Ctrl-C inside `default`
            raise error.__cause__ from None
        return None


def _indented(value: Any, by: int) -> str:
    """Return `json_indented(value)` for a nested position. Newlines within strings are escaped."""
    return json_indented(value).replace("\n", "\n" + " " * by)
