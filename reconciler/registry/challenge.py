"""The answer 401 of a registry: how to authenticate, and which token servers are asked.

The address of the token server is foreign text. A hostile registry, or one that somebody writes into the YAML
of a pull request, must not learn the credential of another host or have requests sent into a private network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from reconciler.model.hosts import host_error, is_loopback, normalized_host
from reconciler.model.lazy_dataclass import dataclass

MAX_LENGTH: Final = 4096
"""Characters of a challenge."""

_PARAMETER: Final = re.compile(r'([A-Za-z]+)="([^"\\]*)"')


class NotChecked(Exception):
    """The digest could not be had. The text is the reason, without foreign text; it ends no sentence."""


class NoSuchImage(NotChecked):
    """The registry has no such image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A demand for a token (`Bearer`) or for the credential itself (`Basic`)."""

    scheme: str
    realm: str = ""
    service: str = ""


def parse_challenge(header: str) -> Challenge:
    """Return the challenge of a header `WWW-Authenticate`. Raise NotChecked for an unknown one."""
    scheme, _, rest = header[:MAX_LENGTH].strip().partition(" ")
    parameters: Mapping[str, str] = {name.lower(): value for name, value in _PARAMETER.findall(rest)}
    match scheme.lower():
        case "bearer":
            return Challenge(
                scheme="bearer", realm=parameters.get("realm", ""), service=parameters.get("service", "")
            )
        case "basic":
            return Challenge(scheme="basic")
        case _:
            raise NotChecked("the registry refuses the request, and names no way to authenticate")


def address_of(registry: str) -> SplitResult:
    """Return the address of a registry: https, or http on this machine. Raise NotChecked."""
    try:
        host = urlsplit(f"//{registry}").hostname or ""
        address = urlsplit(f"{'http' if is_loopback(host) else 'https'}://{registry}")
        is_valid = address.port != 0 and not host_error(host)
    except ValueError:
        is_valid = False
    if not is_valid:
        raise NotChecked("its registry is no host that can be asked")
    if _is_link_local(host):
        raise NotChecked("its registry has an address that is never asked")
    return address


def token_server(realm: str, registry: SplitResult) -> SplitResult:
    """Return the address of the token server of a registry. Raise NotChecked unless both belong together.

    They do if they have the same host or parent domain, such as registry-1.docker.io and auth.docker.io.
    Docker sends the credential to any host that the registry names.
    """
    try:
        address = urlsplit(realm)
        host, own = normalized_host(address.hostname or ""), normalized_host(registry.hostname or "")
        is_valid = address.port != 0 and not host_error(host) and realm.isascii() and realm.isprintable()
    except ValueError:
        is_valid = False
    if not is_valid or " " in realm or "@" in address.netloc or address.fragment:
        raise NotChecked("the registry names a token server that is no address")
    if address.scheme != registry.scheme and address.scheme != "https":
        raise NotChecked("the registry names a token server without TLS")
    if not _belongs(host, own):
        raise NotChecked("the registry names a token server on another host, which is not asked")
    return address


def _belongs(host: str, own: str) -> bool:
    if host == own:
        return True
    if _is_address(host) or _is_address(own):
        return False
    parent = own.partition(".")[2]
    return "." in parent and (host == parent or host.endswith(f".{parent}"))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def _is_link_local(host: str) -> bool:
    """Return True for addresses that no registry has, such as those of a cloud's metadata service."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_link_local or address.is_multicast or address.is_unspecified
