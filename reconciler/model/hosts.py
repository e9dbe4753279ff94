"""Hosts of URLs: which names are sound, which are this machine, and which may be told the API key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final

NOVITA: Final = ("novita.ai", "*.novita.ai")
"""Where the API key is at home."""

LONGEST: Final = 253
LONGEST_LABEL: Final = 63
"""Characters; DNS has no longer names."""

_LABEL: Final = re.compile(r"[a-z0-9_-]+\Z")
_NUMBER: Final = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")


def bare(host: str) -> str:
    """The host as all its spellings are compared: lower case, no brackets, no dot at the end."""
    return host.strip("[]").lower().removesuffix(".")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine and never leaves it: by its address, or as localhost."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return bare(host) == "localhost"


def host_matches(host: str, patterns: Iterable[str]) -> bool:
    """Whether a host is named: by itself, or by `*.` and a domain that it is in."""
    name = bare(host)
    return any(
        name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern
        for pattern in map(bare, patterns)
    )


def fault(host: str) -> str:
    """What is wrong with a host, to follow "the host"; "" when nothing is."""
    try:
        ip_address(host)
    except ValueError:
        name = bare(host)
    else:
        return ""
    if not name:
        return "is missing"
    labels = name.split(".")
    if not name.isascii():
        return "holds a letter outside ASCII; a name in another alphabet is written as xn--..."
    if "" in labels:
        return "has an empty part between two dots"
    if len(name) > LONGEST or max(map(len, labels)) > LONGEST_LABEL:
        return f"is too long: DNS knows {LONGEST} characters, and {LONGEST_LABEL} between two dots"
    if not all(map(_LABEL.match, labels)):
        return "holds a character that no host name has"
    return "is not an IP address as it is usually written" if _NUMBER.match(labels[-1]) else ""
