"""Hosts of URLs: validity, loopback addresses, hosts that may receive the API key, and base URLs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from reconciler.model.settings import DEFAULT_BASE_URL

NOVITA_HOSTS: Final = ("novita.ai", "*.novita.ai")
"""Hosts that always may receive the API key."""

MAX_HOST_LENGTH: Final = 253
MAX_LABEL_LENGTH: Final = 63
"""Characters; limits of DNS."""

_LABEL: Final = re.compile(r"[a-z0-9_-]+\Z")
_NUMBER: Final = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")


def normalized_host(host: str) -> str:
    """Return the host in lower case, without brackets and without a trailing dot."""
    return host.strip("[]").lower().removesuffix(".")


def is_loopback(host: str) -> bool:
    """Return True if the host is a loopback address or localhost."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return normalized_host(host) == "localhost"


def is_ip_address(host: str) -> bool:
    """Return True if the host is an IP address of one machine; one of IPv6 may have the brackets of a URL."""
    try:
        return not ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def host_matches(host: str, patterns: Iterable[str]) -> bool:
    """Return True if a pattern is the host itself, or `*.` and a parent domain of it."""
    name = normalized_host(host)
    return any(
        name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern
        for pattern in map(normalized_host, patterns)
    )


def host_error(host: str) -> str:
    """Return why a host is invalid, as a phrase that follows "the host", or "" if it is valid."""
    try:
        ip_address(host)
    except ValueError:
        name = normalized_host(host)
    else:
        return ""
    if not name:
        return "is missing"
    labels = name.split(".")
    if not name.isascii():
        return "contains a letter outside ASCII; write an international name as xn--..."
    if "" in labels:
        return "has an empty part between two dots"
    if len(name) > MAX_HOST_LENGTH or max(map(len, labels)) > MAX_LABEL_LENGTH:
        return (
            f"is too long: DNS allows {MAX_HOST_LENGTH} characters, and {MAX_LABEL_LENGTH} between two dots"
        )
    if not all(map(_LABEL.match, labels)):
        return "contains a character that host names do not allow"
    return "is not an IP address in its usual notation" if _NUMBER.match(labels[-1]) else ""


def url_error(text: str) -> tuple[str, str] | None:
    """Return why a base URL is invalid and a hint, or None if it is valid."""
    example = f"write {DEFAULT_BASE_URL}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is not a URL", example
    if parts.scheme not in ("http", "https") or not host or " " in text or not text.isprintable():
        return "is not a URL", example
    if parts.username is not None or parts.password is not None:
        return (
            "contains a user name or password",
            "remove the text before the `@`; the key belongs in NOVITA_API_KEY",
        )
    if error := host_error(host):
        return f"is not a URL: the host {error}", example
    if port == 0:
        return "is not a URL: port 0 does not exist", example
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        return "contains a query or a fragment", "remove the text after the `?` or `#`"
    if parts.scheme == "http" and not is_loopback(host):
        return (
            "is not https, so the key would be sent unencrypted",
            "write https:// instead; http:// is only allowed for localhost",
        )
    return None
