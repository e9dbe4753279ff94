"""Where the key may go, and which key can go at all: checked before a connection is made."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from reconciler.model.errors import InvalidConfig
from reconciler.model.hosts import host_error, is_loopback
from reconciler.model.problem import Problem
from reconciler.model.secrets import Secret
from reconciler.novita.messages import CONSOLE


def address_of(base_url: str, *, embedded: bool) -> SplitResult:
    """The base URL in parts, or InvalidConfig: the key goes only where TLS or this machine protects it."""
    try:
        parts = urlsplit(base_url.strip())
        is_sound = parts.port != 0 and not host_error(parts.hostname or "")
    except ValueError:
        is_sound = False
    if not is_sound:
        parts = urlsplit("")
    if embedded and parts.scheme not in ("http", "https"):
        return urlsplit("http://localhost")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise not_an_address()
    if "@" in parts.netloc:
        raise invalid(
            "invalid-base-url",
            "`novita.base_url` holds a user name or password, which would take the place of the API key",
            "Remove everything up to the @ from `novita.base_url`",
        )
    if parts.scheme == "http" and not embedded and not is_loopback(parts.hostname):
        raise invalid(
            "insecure-base-url",
            f"`novita.base_url` http://{parts.netloc} would send the API key unencrypted",
            "Use https:// in `novita.base_url`; http:// is only for this machine (localhost)",
        )
    return parts


def header_safe(api_key: Secret) -> str:
    """The key as a header may hold it; httpx's own complaint about any other would quote it."""
    key = api_key.value.strip()
    if not key:
        raise invalid(
            "no-api-key",
            "novita API key is required",
            "Set `novita.api_key` in config.yaml, or export NOVITA_API_KEY."
            f" Get API key from Novita Console ({CONSOLE})",
        )
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise invalid(
            "invalid-api-key",
            "the API key holds a space, a control character or a letter outside ASCII",
            f"Copy it again from Novita Console ({CONSOLE})",
        )
    return key


def not_an_address() -> InvalidConfig:
    return invalid(
        "invalid-base-url",
        "`novita.base_url` is not the address of an API",
        "Set `novita.base_url` in config.yaml (or NOVITA_BASE_URL) to something like https://api.novita.ai",
    )


def invalid(code: str, summary: str, hint: str) -> InvalidConfig:
    return InvalidConfig(Problem(code=code, summary=summary, hint=hint))
