"""API tokens: `RECONCILER_API_TOKENS` is a list of NAME:TOKEN:read|write, separated by commas.

Only digests are kept, so that no dump of the process and no log can show a token.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Final

from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem

VARIABLE: Final = "RECONCILER_API_TOKENS"

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_DIGEST: Final = re.compile(r"sha256=([0-9a-fA-F]{64})\Z")
_MIN_LENGTH: Final = 16
"""Characters of a token. A shorter one can be guessed."""

_HINT: Final = (
    f"export {VARIABLE}=NAME:TOKEN:write, separated by commas; `openssl rand -hex 32` makes a token,"
    " and `sha256=HEX` in its place keeps it out of the environment"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The client of a request. `name` is that of its token, or "" without one."""

    name: str = ""
    may_read: bool = False
    may_write: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """One token: the name of its holder, its SHA-256 digest, and whether it may write."""

    name: str
    digest: bytes
    may_write: bool


def read_tokens(environ: Mapping[str, str]) -> tuple[ApiToken, ...]:
    """Return the tokens of the environment. Raise InvalidConfig, whose text has no part of a token."""
    items = [item.strip() for item in environ.get(VARIABLE, "").split(",")]
    return tuple(_parse(item, number) for number, item in enumerate(items, 1) if item)


def find_caller(tokens: tuple[ApiToken, ...], authorization: str) -> Caller | None:
    """Return the holder of the token in an Authorization header, `Bearer TOKEN` or the bare token.

    All tokens are compared in constant time, so that the time says nothing about them.
    """
    scheme, _, rest = authorization.strip().partition(" ")
    presented = rest.strip() if scheme.lower() == "bearer" else authorization.strip()
    digest = hashlib.sha256(presented.encode("utf-8", "surrogateescape")).digest()
    found: ApiToken | None = None
    for token in tokens:
        if hmac.compare_digest(token.digest, digest):
            found = token
    return Caller(name=found.name, may_read=True, may_write=found.may_write) if found else None


def _parse(item: str, number: int) -> ApiToken:
    name, _, rest = item.partition(":")
    text, _, role = rest.rpartition(":")
    digest = _DIGEST.match(text)
    if not _NAME.match(name):
        raise _invalid(number, "its name must be letters, digits, `.`, `_` and `-`, at most 64")
    if role not in ("read", "write"):
        raise _invalid(number, "it must end in `:read` or `:write`")
    if digest is None and text.startswith("sha256="):
        raise _invalid(number, "`sha256=` must be followed by 64 hexadecimal digits")
    if len(text) < _MIN_LENGTH:
        raise _invalid(number, f"its token has fewer than {_MIN_LENGTH} characters")
    value = bytes.fromhex(digest[1]) if digest else hashlib.sha256(text.encode()).digest()
    return ApiToken(name=name, digest=value, may_write=role == "write")


def _invalid(number: int, reason: str) -> InvalidConfig:
    return InvalidConfig(
        Problem(
            code="bad-api-token", summary=f"token {number} of {VARIABLE} is invalid: {reason}", hint=_HINT
        )
    )
