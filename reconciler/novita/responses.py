"""What an answer says: the JSON that was asked for, or a classified failure.

The status decides whether the call may have been carried out: after most 4xx it was not, after any other it
may have been. Only then does the reason say why it failed. A create whose answer proves nothing is looked
for, never taken for refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TypeAlias

from reconciler.model.errors import AnswerLost, NotFound, Refused
from reconciler.model.problem import Problem
from reconciler.model.request import Request
from reconciler.model.values import Json
from reconciler.novita import error_table, errors
from reconciler.novita.error_body import read_error
from reconciler.novita.error_table import ErrorEntry
from reconciler.novita.errors import Again, Failure
from reconciler.novita.http.body import parse_json
from reconciler.novita.messages import Masker, call, format_seconds, purpose, status_line

_DEFINED = frozenset(map(int, HTTPStatus))
QUOTABLE = 4096
"""Bytes of a body without a message of its own that are looked at to quote some."""

_INACTIVE = "serverless cluster is not active"
_UNPAID = re.compile(
    r"\b(?:insufficient|not enough|no) (?:account )?(?:balance|funds?|credits?)\b"
    r"|\bbalance (?:is )?(?:not enough|insufficient)\b|\barrears\b|\boverdue\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer. Header names are in lower case; `asked` is the wait that it asks for (s)."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    asked: float = 0.0


@dataclass(frozen=True, slots=True)
class Success:
    """The parsed body of a 2xx answer; {} for an empty one."""

    json: Json


Outcome: TypeAlias = Success | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """The body as far as it can be understood. `code` is 0 when it holds none.

    `is_error` says that the body itself calls it an error.
    """

    is_json: bool
    is_object: bool = False
    json: Json = None
    reason: str = ""
    message: str = ""
    code: int = 0
    is_error: bool = False


def classify(request: Request, answer: Answer, masker: Masker) -> Outcome:
    """Success, or the failure that this answer means for this request."""
    content = _read(answer.body)
    status = answer.status
    if 200 <= status < 300:
        if not content.is_json:
            return _unusable(request, answer, content, masker)
        if not content.is_error:
            return Success(content.json)
        status = _status_beneath(request, content)
    elif 300 <= status < 400:
        return _redirected(request, answer, masker)
    if is_refusal(status):
        meaning = _meaning(request, status, content, empty=not answer.body.strip())
    else:
        meaning = error_table.uncertain(content.reason)
    failure = _failure(request, answer, content, meaning, masker)
    return replace(failure, status=status)


def _status_beneath(request: Request, content: _Content) -> int:
    """The status that an error under 200 stands for: its own code, or one for what may have been done."""
    is_create = not request.is_idempotent
    if is_create and content.json.get("id"):
        return HTTPStatus.INTERNAL_SERVER_ERROR
    if 400 <= content.code < 600:
        return content.code
    is_known = error_table.by_reason(content.reason) or _by_message(content.message)
    return HTTPStatus.INTERNAL_SERVER_ERROR if is_create and not is_known else HTTPStatus.BAD_REQUEST


def is_refusal(status: int) -> bool:
    """Whether a status proves that the call was not carried out.

    408, 425 and those that HTTP does not define, such as 499, come from a proxy that gave up waiting.
    """
    return 400 <= status < 500 and status in _DEFINED and status not in (408, 425)


def _meaning(request: Request, status: int, content: _Content, *, empty: bool) -> ErrorEntry:
    """By reason, else by message, else by status."""
    said = _by_message(content.message)
    if said is error_table.INACTIVE:
        return said
    known = error_table.by_reason(content.reason) or said or _by_status(status, content, empty=empty)
    if known.kind is not NotFound:
        return known
    if not request.is_idempotent:
        # A create has nothing of its own that could be missing: what is missing is what it refers to.
        return error_table.PRODUCT
    # Only a request that names one object can find it absent; a listing "not found" is a wrong address.
    return known if _names_one(request) else error_table.ADDRESS


def _by_message(message: str) -> ErrorEntry | None:
    """The two messages that are worth matching where no reason is known."""
    if _INACTIVE in message.lower():
        return error_table.INACTIVE
    return error_table.ACCOUNT if _UNPAID.search(message) else None


def _names_one(request: Request) -> bool:
    body = request.body if isinstance(request.body, Mapping) else {}
    return "id" in request.query or "id" in body or "name" in body


def _by_status(status: int, content: _Content, *, empty: bool) -> ErrorEntry:
    match status:
        case 403 if not (content.is_json or empty):
            return error_table.EDGE
        case 401 | 403:
            return error_table.KEY
        case 402:
            return error_table.ACCOUNT
        case 404 if content.is_object:
            return error_table.ABSENT
        case 404 | 405:
            return error_table.ADDRESS
        case 429:
            return error_table.BUSY
        case _:
            return error_table.OTHER


def _failure(
    request: Request, answer: Answer, content: _Content, meaning: ErrorEntry, masker: Masker
) -> Failure:
    reason = masker.quote(content.reason, request, 80)
    status = status_line(answer.status)
    said = masker.quote(content.message, request)
    beneath = f"code {content.code}" if answer.status < 300 and content.code else ""
    named = [one for one in (status, beneath, reason) if one]
    first = f"{call(request)} answered {' '.join(named)}"
    asked = answer.asked if meaning.again is not Again.NEVER else 0.0
    cause = meaning.cause + (errors.doubt(request) if meaning.again is Again.UNKNOWN else "")
    return Failure(
        kind=meaning.kind,
        problem=Problem(
            code=meaning.code,
            summary=f"{meaning.summary or f'failed to {purpose(request)}'} ({', '.join(named)})",
            detail=f'{first}: "{said}". {cause}' if said else f"{first}. {cause}",
            hint=meaning.hint,
        ),
        reason=reason,
        said=": ".join(filter(None, (reason, said, f"wait {format_seconds(asked)}" if asked else ""))),
        again=meaning.again,
        patience=meaning.patience,
        asked=asked,
    )


def _unusable(request: Request, answer: Answer, content: _Content, masker: Masker) -> Failure:
    """A 2xx without JSON: a page of the CDN, or half an answer. A write may have happened behind it."""
    status = status_line(answer.status)
    said = masker.quote(content.message, request)
    failure = errors.lost(request, why=f"{status}, but it is not JSON")
    detail = f'{call(request)} answered {status}: "{said}".{errors.doubt(request)}'
    return replace(failure, status=answer.status, said=said, problem=replace(failure.problem, detail=detail))


def _redirected(request: Request, answer: Answer, masker: Masker) -> Failure:
    """A redirect is not followed: it could carry the key to another host. A create may be done behind it."""
    status = status_line(answer.status)
    target = masker.quote(answer.headers.get("location", "nowhere"), request)
    return Failure(
        kind=Refused if request.is_idempotent else AnswerLost,
        problem=Problem(
            code="redirected",
            summary=f"failed to {purpose(request)} ({status})",
            detail=f"{call(request)} answered {status} to {target}. Redirects are not followed, because they"
            f" could carry the API key to another host.{errors.doubt(request)}",
            hint="Correct `novita.base_url` in config.yaml (or NOVITA_BASE_URL), then run `reconciler plan`",
        ),
        status=answer.status,
    )


def _read(body: bytes) -> _Content:
    """What a body holds; where it names no message of its own, it is the message."""
    if not body.strip():
        return _Content(is_json=True, json={})
    text = body[:QUOTABLE].decode("utf-8", "replace")
    try:
        parsed = parse_json(body)
    except ValueError:
        return _Content(is_json=False, message=text)
    if not isinstance(parsed, dict):
        return _Content(is_json=True, json=parsed, message=text)
    found = read_error(parsed)
    return _Content(
        is_json=True,
        is_object=True,
        json=parsed,
        reason=found.reason,
        message=found.message or ("" if found.reason else text),
        code=found.code,
        is_error=found.is_error,
    )
