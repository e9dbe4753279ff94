"""The classification of an answer: a success with its JSON, or a failure.

The status decides whether the call may have been carried out: most 4xx prove that it was not. After that the
reason tells why it failed. A create whose answer proves nothing does not count as refused; the caller looks
for its endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import TypeAlias

from reconciler.model.errors import AnswerLost, NotFound, Refused
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.request import Request
from reconciler.model.values import Json
from reconciler.novita import error_table, errors
from reconciler.novita.error_body import read_error
from reconciler.novita.error_table import ErrorEntry
from reconciler.novita.errors import Failure, Retry
from reconciler.novita.http.body import parse_json
from reconciler.novita.messages import Masker, call, format_seconds, purpose, status_line

MAX_QUOTABLE = 4096
"""Bytes of a body without a message from which a quotation is taken."""

_INACTIVE = "serverless cluster is not active"
_UNPAID = (
    r"\b(?:insufficient|not enough|no) (?:account )?(?:balance|funds?|credits?)\b"
    r"|\bbalance (?:is )?(?:not enough|insufficient)\b|\barrears\b|\boverdue\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP response. Header names are in lower case. `retry_after` is the wait that it asks for (s)."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    retry_after: float = 0.0


@dataclass(frozen=True, slots=True)
class Success:
    """The parsed body of a 2xx answer; {} for an empty one."""

    json: Json


Outcome: TypeAlias = Success | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """The parsed body. `code` is 0 if it has none. `is_error`: the body itself says that the call failed."""

    is_json: bool
    is_object: bool = False
    json: Json = None
    reason: str = ""
    message: str = ""
    code: int = 0
    is_error: bool = False


def classify(request: Request, answer: Answer, masker: Masker) -> Outcome:
    """Return the success or the failure that an answer means for a request."""
    content = _parse_body(answer.body)
    status = answer.status
    if 200 <= status < 300:
        if not content.is_json:
            return _not_json(request, answer, content, masker)
        if not content.is_error:
            return Success(content.json)
        status = _effective_status(request, content)
    elif 300 <= status < 400:
        return _redirected(request, answer, masker)
    if is_refusal(status):
        entry = _find_entry(request, status, content, is_empty=not answer.body.strip())
    else:
        entry = error_table.uncertain(content.reason)
    failure = _failure(request, answer, content, entry, masker)
    return replace(failure, status=status)


def _effective_status(request: Request, content: _Content) -> int:
    """Return the status of an error in a 2xx: its own code, or 500 if the call may have been carried out."""
    is_create = not request.is_idempotent
    if is_create and content.json.get("id"):
        return 500
    if 400 <= content.code < 600:
        return content.code
    is_known = error_table.by_reason(content.reason) or _by_message(content.message)
    return 500 if is_create and not is_known else 400


def is_refusal(status: int) -> bool:
    """Return whether a status proves that the call was not carried out.

    408, 425 and undefined ones such as 499 come from a proxy that stopped waiting, and prove nothing.
    """
    from http import HTTPStatus

    return 400 <= status < 500 and status in {*HTTPStatus} and status not in (408, 425)


def _find_entry(request: Request, status: int, content: _Content, *, is_empty: bool) -> ErrorEntry:
    """Return the entry of the error table by reason, else by message, else by status."""
    by_message = _by_message(content.message)
    if by_message is error_table.INACTIVE:
        return by_message
    entry = (
        error_table.by_reason(content.reason) or by_message or _by_status(status, content, is_empty=is_empty)
    )
    if entry.error_class is not NotFound:
        return entry
    if not request.is_idempotent:
        # A create names no endpoint, so what is missing is something that it refers to.
        return error_table.PRODUCT
    # Only a request that names an object can find it missing; a listing that is missing is a wrong address.
    return entry if _names_object(request) else error_table.ADDRESS


def is_inactive(message: str) -> bool:
    """Return whether a message says that a cluster is still to wake up."""
    return _INACTIVE in message.lower()


def _by_message(message: str) -> ErrorEntry | None:
    """Return the entry of one of two known messages, or None."""
    if is_inactive(message):
        return error_table.INACTIVE
    return error_table.ACCOUNT if re.search(_UNPAID, message, re.IGNORECASE) else None


def _names_object(request: Request) -> bool:
    body = request.body if isinstance(request.body, Mapping) else {}
    return "id" in request.query or "id" in body or "name" in body


def _by_status(status: int, content: _Content, *, is_empty: bool) -> ErrorEntry:
    match status:
        case 403 if not (content.is_json or is_empty):
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
    request: Request, answer: Answer, content: _Content, entry: ErrorEntry, masker: Masker
) -> Failure:
    reason = masker.quote_answer(content.reason, request, 80)
    status = status_line(answer.status)
    message = masker.quote_answer(content.message, request)
    code = f"code {content.code}" if answer.status < 300 and content.code else ""
    known = [part for part in (status, code, reason) if part]
    sentence = f"{call(request)} answered {' '.join(known)}"
    retry_after = answer.retry_after if entry.retry is not Retry.NEVER else 0.0
    wait = f"wait {format_seconds(retry_after)}" if retry_after else ""
    cause = entry.cause + (errors.doubt(request) if entry.retry is Retry.IF_IDEMPOTENT else "")
    return Failure(
        error_class=entry.error_class,
        problem=Problem(
            code=entry.code,
            summary=f"{entry.summary or f'failed to {purpose(request)}'} ({', '.join(known)})",
            detail=f'{sentence}: "{message}". {cause}' if message else f"{sentence}. {cause}",
            hint=entry.hint,
        ),
        reason=reason,
        message=": ".join(filter(None, (reason, message, wait))),
        retry=entry.retry,
        policy=entry.policy,
        retry_after=retry_after,
    )


def _not_json(request: Request, answer: Answer, content: _Content, masker: Masker) -> Failure:
    """Return the failure of a 2xx without JSON, such as a page of the CDN. A write may have been done."""
    status = status_line(answer.status)
    message = masker.quote_answer(content.message, request)
    failure = errors.answer_lost(request, why=f"{status}, but it is not JSON")
    detail = f'{call(request)} answered {status}: "{message}".{errors.doubt(request)}'
    return replace(
        failure, status=answer.status, message=message, problem=replace(failure.problem, detail=detail)
    )


def _redirected(request: Request, answer: Answer, masker: Masker) -> Failure:
    """Return the failure of a redirect. It is not followed, as it could send the key to another host."""
    status = status_line(answer.status)
    target = masker.quote(answer.headers.get("location", "nowhere"), request)
    return Failure(
        error_class=Refused if request.is_idempotent else AnswerLost,
        problem=Problem(
            code="redirected",
            summary=f"failed to {purpose(request)} ({status})",
            detail=f"{call(request)} answered {status} to {target}. Redirects are not followed, because they"
            f" could carry the API key to another host.{errors.doubt(request)}",
            hint="Correct `novita.base_url` in config.yaml (or NOVITA_BASE_URL), then run `reconciler plan`",
        ),
        status=answer.status,
    )


def _parse_body(body: bytes) -> _Content:
    """Return the content of a body. A body without a message is the message itself."""
    if not body.strip():
        return _Content(is_json=True, json={})
    text = body[:MAX_QUOTABLE].decode("utf-8", "replace")
    try:
        parsed = parse_json(body)
    except ValueError:
        return _Content(is_json=False, message=text)
    if not isinstance(parsed, dict):
        return _Content(is_json=True, json=parsed, message=text)
    error = read_error(parsed)
    return _Content(
        is_json=True,
        is_object=True,
        json=parsed,
        reason=error.reason,
        message=error.message or ("" if error.reason else text),
        code=error.code,
        is_error=error.is_error,
    )
