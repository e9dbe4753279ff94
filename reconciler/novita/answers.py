"""What an answer says: the JSON that was asked for, or a classified failure.

The status decides whether the call may have been carried out: after most 4xx it was not, after any other it
may have been. Only then does the reason say why it failed. A create whose answer proves nothing is looked
for, never taken for refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TypeAlias

from reconciler.model.errors import AnswerLost, NotFound, Refused
from reconciler.model.problem import Problem
from reconciler.model.values import Json
from reconciler.model.wire import Request
from reconciler.novita import reasons, trouble
from reconciler.novita.failure import Again, Failure
from reconciler.novita.phrases import Masker, call, purpose, status_line
from reconciler.novita.reasons import Meaning

_DEFINED = frozenset(map(int, HTTPStatus))
# The one message worth matching: its reason is not known.
_INACTIVE = "serverless cluster is not active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Success:
    """The parsed body of a 2xx answer; {} for an empty one."""

    json: Json


Outcome: TypeAlias = Success | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """The body as far as it can be understood. `code` is 0 when it holds none."""

    is_json: bool
    is_object: bool = False
    json: Json = None
    reason: str = ""
    message: str = ""
    code: int = 0


def judge(request: Request, answer: Answer, masker: Masker) -> Outcome:
    """Success, or the failure that this answer means for this request."""
    content = _read(answer.body)
    status = answer.status
    if 200 <= status < 300:
        if not content.is_json:
            return _unusable(request, answer, content, masker)
        if not (content.reason and content.code >= 400):
            return Success(content.json)
        status = content.code  # a refusal that travels under 200
    elif 300 <= status < 400:
        return _redirected(request, answer, masker)
    if is_refusal(status):
        meaning = _meaning(request, status, content, empty=not answer.body.strip())
    else:
        meaning = reasons.uncertain(content.reason)
    failure = _failure(request, answer, content, meaning, masker)
    return replace(failure, status=status)


def is_refusal(status: int) -> bool:
    """Whether a status proves that the call was not carried out.

    408, 425 and those that HTTP does not define, such as 499, come from a proxy that gave up waiting.
    """
    return 400 <= status < 500 and status in _DEFINED and status not in (408, 425)


def _meaning(request: Request, status: int, content: _Content, *, empty: bool) -> Meaning:
    """By message in one case, else by reason, else by status."""
    if _INACTIVE in content.message.lower():
        return reasons.INACTIVE
    known = reasons.by_reason(content.reason) or _by_status(status, content, empty=empty)
    if known.kind is not NotFound:
        return known
    if not request.safe:
        # A create has nothing of its own that could be missing: what is missing is what it refers to.
        return reasons.PRODUCT
    # Only a request that names one object can find it absent; a listing "not found" is a wrong address.
    return known if _names_one(request) else reasons.ADDRESS


def _names_one(request: Request) -> bool:
    body = request.body if isinstance(request.body, Mapping) else {}
    return "id" in request.query or "id" in body or "name" in body


def _by_status(status: int, content: _Content, *, empty: bool) -> Meaning:
    match status:
        case 403 if not (content.is_json or empty):
            return reasons.EDGE
        case 401 | 403:
            return reasons.KEY
        case 404 if content.is_object:
            return reasons.ABSENT
        case 404 | 405:
            return reasons.ADDRESS
        case 429:
            return reasons.BUSY
        case _:
            return reasons.OTHER


def _failure(
    request: Request, answer: Answer, content: _Content, meaning: Meaning, masker: Masker
) -> Failure:
    reason = masker.quote(content.reason, request, 80)
    status = status_line(answer.status)
    said = masker.quote(content.message, request)
    label = f"{status}, {reason}" if reason else status
    first = f"{call(request)} answered {' '.join(filter(None, (status, reason)))}"
    cause = meaning.cause + (trouble.doubt(request) if meaning.again is Again.UNKNOWN else "")
    return Failure(
        kind=meaning.kind,
        problem=Problem(
            code=meaning.code,
            summary=f"{meaning.summary or f'failed to {purpose(request)}'} ({label})",
            detail=f'{first}: "{said}". {cause}' if said else f"{first}. {cause}",
            hint=meaning.hint,
        ),
        reason=reason,
        again=meaning.again,
        patience=meaning.patience,
        retry_after=answer.headers.get("retry-after", ""),
    )


def _unusable(request: Request, answer: Answer, content: _Content, masker: Masker) -> Failure:
    """A 2xx without JSON: a page of the CDN, or half an answer. A write may have happened behind it."""
    status = status_line(answer.status)
    said = masker.quote(content.message, request)
    failure = trouble.lost(request, why=f"{status}, but it is not JSON")
    detail = f'{call(request)} answered {status}: "{said}".{trouble.doubt(request)}'
    return replace(failure, status=answer.status, problem=replace(failure.problem, detail=detail))


def _redirected(request: Request, answer: Answer, masker: Masker) -> Failure:
    """A redirect is not followed: it could carry the key to another host. A create may be done behind it."""
    status = status_line(answer.status)
    target = masker.quote(answer.headers.get("location", "nowhere"), request)
    return Failure(
        kind=Refused if request.safe else AnswerLost,
        problem=Problem(
            code="redirected",
            summary=f"failed to {purpose(request)} ({status})",
            detail=f"{call(request)} answered {status} to {target}. Redirects are not followed, because they"
            f" could carry the API key to another host.{trouble.doubt(request)}",
            hint="Correct `novita.base_url` in config.yaml (or NOVITA_BASE_URL), then run `reconciler plan`",
        ),
        status=answer.status,
    )


def _read(body: bytes) -> _Content:
    """Novita writes errors in at least two styles; anything else is quoted as text."""
    if not body.strip():
        return _Content(is_json=True, json={})
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return _Content(is_json=False, message=body[:4000].decode("utf-8", "replace"))
    if not isinstance(parsed, dict):
        return _Content(is_json=True, json=parsed, message=body[:4000].decode("utf-8", "replace"))
    nested = parsed.get("error")
    inner = nested if isinstance(nested, dict) else {}
    return _Content(
        is_json=True,
        is_object=True,
        json=parsed,
        reason=_text(parsed.get("reason")) or _word(inner.get("code")),
        message=_text(parsed.get("message")) or _text(inner.get("message")) or _text(parsed.get("msg")),
        code=_number(parsed.get("code")),
    )


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _word(value: Json) -> str:
    """A code that is a word; the numeric ones repeat the status."""
    return value if isinstance(value, str) and not value.isdigit() else ""


def _number(value: Json) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:9])
    return value if isinstance(value, int) else 0
