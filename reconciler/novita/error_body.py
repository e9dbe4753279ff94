"""The error in a JSON object, in any of several common styles. Some servers send one with status 200."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from reconciler.model.encoding import json_line
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.values import Json

_CODES: Final = ("code", "status_code", "statusCode", "error_code", "errorCode", "errcode", "status")
_MESSAGES: Final = ("message", "msg", "status_msg", "error_msg", "errorMessage", "errmsg", "error", "detail")
_FLAGS: Final = ("success", "ok")
_INNER: Final = ("error", "base_resp", "baseResp", "status", "meta", "result", "response", "data")
"""Keys of inner objects in which some servers describe the error."""

_KEYS: Final = frozenset({*_CODES, *_MESSAGES, *_FLAGS, *_INNER, "reason", "errors"})
"""All keys that may tell of an error."""

_SUCCESS: Final = frozenset({"ok", "success", "succeed", "succeeded", "successful", "none", "null"})
_FINE: Final = _SUCCESS | {"", "true"}
_FAILED: Final = frozenset({"error", "fail", "failed", "failure"})
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}\Z")
_OF_AN_ENDPOINT: Final = frozenset({"name", "appName", "workerConfig", "products", "image"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """The error of a call. `code` is 0 if there is none. `is_error`: the object says that the call failed."""

    reason: str = ""
    message: str = ""
    code: int = 0
    is_error: bool = False


_NO_ERROR: Final = ErrorBody()


def read_error(body: Mapping[str, Any]) -> ErrorBody:
    """Return what a body says about its call."""
    if _KEYS.isdisjoint(body):
        return _NO_ERROR
    levels = tuple(_levels(body))
    codes = [code for level in levels for code in _codes(level)]
    reasons = (_text(level.get("reason")) for level in levels)
    text_codes = (code for code in codes if isinstance(code, str) and code.lower() not in _FINE)
    messages = (_text(level.get(key)) for level in levels for key in _MESSAGES)
    return ErrorBody(
        reason=next(filter(None, chain(reasons, text_codes)), ""),
        message=next(filter(None, messages), ""),
        code=next((code for code in codes if isinstance(code, int)), 0),
        is_error=not _is_payload(body) and any(map(_failed, levels)),
    )


def _levels(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the object, and its inner objects that may describe the error."""
    yield body
    yield from (body[key] for key in _INNER if isinstance(body.get(key), Mapping))
    match body.get("errors"):
        case [Mapping() as first, *_]:
            yield first


def _is_payload(body: Mapping[str, Any]) -> bool:
    """Return whether it is or holds an endpoint, whose own `status` and `error` are no error of the call."""
    if body.get("endpoint") or body.get("endpoints"):
        return True
    return bool(body.get("id")) and not _OF_AN_ENDPOINT.isdisjoint(body)


def _failed(level: Mapping[str, Any]) -> bool:
    """Return whether one object says that the call failed."""
    if any(_text(level.get(flag)).lower() in ("false", "0") for flag in _FLAGS):
        return True
    codes = tuple(_codes(level))
    if any(map(_is_bad, codes)) and _text(level.get("message")).lower() not in _SUCCESS:
        return True
    error = level.get("error")
    if isinstance(error, Mapping):
        inner = tuple(_codes(error))
        if any(error.values()) and not (inner and not any(map(_is_bad, inner))):
            return True
    elif error and _text(error).lower() not in _SUCCESS:
        return True
    if level.get("errors") or _text(level.get("status")).lower() in _FAILED:
        return True
    return bool(_text(level.get("reason"))) and not codes


def _codes(level: Mapping[str, Any]) -> Iterator[int | str]:
    """Yield the codes of an object, numbers as int. `status` counts only as a number; a word is a state."""
    for key in _CODES:
        match level.get(key):
            case str(text) if _NUMBER.match(text):
                yield int(text)
            case str(text) if text and key != "status":
                yield text
            case int(number) if not isinstance(number, bool):
                yield number


def _is_bad(code: int | str) -> bool:
    if isinstance(code, str):
        return code.lower() not in _FINE
    return not (code == 0 or 200 <= code < 300)


def _text(value: Json) -> str:
    """Return a text as it is, "" for an object, and any other value as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, Mapping) else json_line(value)
