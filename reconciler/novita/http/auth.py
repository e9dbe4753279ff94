"""Checks of the base URL and the API key before a connection is made."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from reconciler.model.errors import InvalidConfig
from reconciler.model.hosts import host_error, is_loopback
from reconciler.model.problem import Problem
from reconciler.model.request import is_header_value
from reconciler.model.secrets import Secret
from reconciler.novita.messages import CONSOLE

MAX_PATH: Final = 4096
"""Characters of the path of the base URL."""

DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_NO_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def parse_base_url(base_url: str, *, embedded: bool) -> SplitResult:
    """Return the base URL in parts. Raise InvalidConfig unless TLS is used or it names this machine."""
    try:
        parts = urlsplit(base_url.strip())
        is_valid = parts.port != 0 and not host_error(parts.hostname or "")
    except ValueError:
        is_valid = False
    if not is_valid:
        parts = urlsplit("")
    if embedded and parts.scheme not in ("http", "https"):
        return urlsplit("http://localhost")
    is_plain = not (parts.query or parts.fragment or "%" in parts.netloc)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or not is_plain:
        raise invalid_base_url()
    if "@" in parts.netloc:
        raise invalid_config(
            "invalid-base-url",
            "`novita.base_url` holds a user name or password, which would replace the API key",
            "Remove everything up to the @ from `novita.base_url`",
        )
    if parts.scheme == "http" and not embedded and not is_loopback(parts.hostname):
        raise invalid_config(
            "insecure-base-url",
            f"`novita.base_url` http://{parts.netloc} would send the API key unencrypted",
            "Use https:// in `novita.base_url`; http:// is only for this machine (localhost)",
        )
    return parts


def encode_path(path: str) -> str:
    """Return a path as it is sent; what is percent-encoded stays so. Raise InvalidConfig if it cannot be."""
    try:
        is_printable = path.isprintable() or all(char.isprintable() for char in path if char.isascii())
        if len(path) <= MAX_PATH and is_printable:
            return quote(_NO_ESCAPE.sub("%25", path), safe="/%:@!$&'()*+,;=~")
    except UnicodeError:
        pass
    raise invalid_base_url()


def host_header(address: SplitResult) -> str:
    """Return the host with its port, unless that is the usual one of the scheme."""
    host = address.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return host if address.port in (None, DEFAULT_PORTS[address.scheme]) else f"{host}:{address.port}"


def header_value(api_key: Secret) -> str:
    """Return the key for a header. Raise InvalidConfig; an error of httpx would quote the key."""
    key = api_key.value.strip()
    if not key:
        raise invalid_config(
            "no-api-key",
            "novita API key is required",
            "Set `novita.api_key` in config.yaml, or export NOVITA_API_KEY."
            f" Get API key from Novita Console ({CONSOLE})",
        )
    if not is_header_value(key):
        raise invalid_config(
            "invalid-api-key",
            "the API key holds a space, a control character or a letter outside ASCII",
            f"Copy it again from Novita Console ({CONSOLE})",
        )
    return key


def invalid_base_url() -> InvalidConfig:
    return invalid_config(
        "invalid-base-url",
        "`novita.base_url` is not the address of an API",
        "Set `novita.base_url` in config.yaml (or NOVITA_BASE_URL) to something like https://api.novita.ai",
    )


def invalid_config(code: str, summary: str, hint: str) -> InvalidConfig:
    return InvalidConfig(Problem(code=code, summary=summary, hint=hint))
