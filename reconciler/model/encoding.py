"""JSON as text. The only place that knows orjson, which writes it in a tenth of the standard library's time.

What orjson refuses (half a character, a number beyond 64 bits) the standard library writes. What neither can
hold raises TypeError: a secret that nobody revealed must not become text by accident.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

_ONE_LINE: Final = json.JSONEncoder(ensure_ascii=False).encode


def _refuse(value: Any) -> Any:
    raise TypeError(f"a {type(value).__name__} is no JSON")


def json_line(value: Any) -> str:
    """On one line, with spaces, as `json.dumps(ensure_ascii=False)` has it."""
    return str(value) if value.__class__ is int else _ONE_LINE(value)  # which takes its time to begin


def pretty(value: Any, *, sort_keys: bool = False) -> str:
    """Over several lines, as `json.dumps(indent=2)` has it, without a newline at its end."""
    found = _compiled(value, indent=True, sort_keys=sort_keys)
    if found is None:
        return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=sort_keys)
    return found.decode()


def pieces(document: Mapping[str, Any]) -> Iterator[str]:
    """The same text in pieces: the items of its lists one by one, so that it is never whole in memory."""
    start = "{"
    for key, value in document.items():
        yield f"{start}\n  {json_line(key)}: "
        start = ","
        if isinstance(value, list) and value:
            for index, item in enumerate(value):
                yield f"{',' if index else '['}\n    {_indented(item, 4)}"
            yield "\n  ]"
        else:
            yield _indented(value, 2)
    yield "\n}" if document else "{}"


def compact(value: Any, default: Callable[[Any], Any] = _refuse, *, sort_keys: bool = False) -> bytes:
    """On one line without a space, UTF-8. `default` makes JSON of what is none, or raises TypeError."""
    found = _compiled(value, default, sort_keys=sort_keys)
    if found is not None:
        return found
    return json.dumps(
        value, separators=(",", ":"), ensure_ascii=False, default=default, sort_keys=sort_keys
    ).encode()


def _compiled(
    value: Any,
    default: Callable[[Any], Any] = _refuse,
    *,
    indent: bool = False,
    sort_keys: bool = False,
) -> bytes | None:
    """None for what orjson refuses by itself. What `default` raises comes out as it is."""
    import orjson

    option = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME  # a `Secret` is a dataclass
    if indent:
        option |= orjson.OPT_INDENT_2
    if sort_keys:
        option |= orjson.OPT_SORT_KEYS
    try:
        return orjson.dumps(value, default, option)
    except TypeError as error:
        if error.__cause__ is not None:  # it may be a Ctrl-C, in the midst of sealing
            raise error.__cause__ from None
        return None


def _indented(value: Any, by: int) -> str:
    """`pretty`, as it stands inside of something. Each newline begins a line; in strings they are escaped."""
    return pretty(value).replace("\n", "\n" + " " * by)
