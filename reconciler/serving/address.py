"""The address of an endpoint. It comes from the account, so it is checked before anything is sent there.

A server that lies about its endpoints could name a service that only this machine can reach, such as the
metadata service of a cloud, and get the request of a user there.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from reconciler.model.errors import NotCalled
from reconciler.model.hosts import host_error, host_matches, is_loopback
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.secrets import MASK
from reconciler.novita.http.auth import DEFAULT_PORTS

_SAFE: Final = "/%:@!$&'()*+,;=~?[]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The addresses at which an endpoint may be.

    `is_local`: the API itself is on this machine, so its endpoints may be too. `hosts` are the hosts that may
    have private addresses, as in RECONCILER_TRUSTED_HOSTS.
    """

    is_local: bool = False
    hosts: Sequence[str] = ()

    def refusal(self, url: SplitResult) -> str:
        """Return why nothing may be sent to a URL, as a phrase that follows it, or ""."""
        host = url.hostname or ""
        if url.scheme not in DEFAULT_PORTS:
            return "is neither https nor http"
        if error := host_error(host):
            return f"is not usable: its host {error}"
        if "@" in url.netloc:
            return "has a user name or a password"
        if url.query or url.fragment:
            return "has a query or a fragment"
        if is_loopback(host):
            return "" if self.is_local else "is on this machine, and Novita is not"
        if url.scheme == "http":
            return "is not https, so others could read and change the request"
        return "" if self.accepts(host, host) else "is not a public address"

    def accepts(self, host: str, address: str) -> bool:
        """Return whether a host may have an IP address. Anything but an IP address is accepted."""
        try:
            ip = ip_address(address.partition("%")[0])
        except ValueError:
            return True
        if isinstance(ip, IPv6Address):
            ip = ip.ipv4_mapped or ip.sixtofour or ip
        return (
            (ip.is_global and not ip.is_multicast)
            or host_matches(host, self.hosts)
            or (self.is_local and ip.is_loopback)
        )


def endpoint_url(url: str, trust: Trust) -> SplitResult:
    """Return the URL of an endpoint in parts. Raise NotCalled for one to which nothing may be sent."""
    try:
        parts = urlsplit(url)
        is_valid = parts.port != 0 and url.isprintable()
    except ValueError:
        is_valid = False
    refusal = trust.refusal(parts) if is_valid else "is not a URL"
    if MASK in url:
        refusal = "holds the API key of the account"
    if refusal:
        raise NotCalled(
            Problem(
                code="url-refused",
                summary=f"nothing was sent: the URL that the account gives, {url[:200]!r}, {refusal}",
                hint="compare it with the URL in Novita Console; a host with a private address must be in"
                " RECONCILER_TRUSTED_HOSTS",
            )
        )
    return parts


def target_of(url: SplitResult, path: str) -> str:
    """Return the path and query to request, percent-encoded; `path` is appended to the path of the URL."""
    return quote(url.path.rstrip("/") + path, safe=_SAFE)
