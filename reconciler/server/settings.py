"""The settings of a server, and the checks that make it safe to start with them."""

from __future__ import annotations

from typing import Final

from reconciler.model import durations
from reconciler.model.errors import InvalidConfig
from reconciler.model.hosts import is_ip_address, is_loopback, normalized_host
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.server.tokens import VARIABLE, ApiToken

MAX_BODY_SIZE: Final = 1 << 20
"""Bytes of a request body. An endpoint takes a few KB."""

MAX_HEADER_SIZE: Final = 32 << 10
"""Bytes of the head of a request."""

MAX_CONNECTIONS: Final = 1000
"""Open connections and running requests. 500 pages that listen for changes are fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """The settings of a server.

    host: the address to listen on; port: 0 chooses a free one. tokens: the clients and their rights.
    unauthenticated_writes: clients of this machine may write without a token. allowed_hosts: further names in
    the Host header. cors_origins: origins whose pages may read answers. lock_timeout: seconds that a write
    waits for the inventory. access_log: write one line of JSON for each request to stderr.
    """

    host: str = "127.0.0.1"
    port: int = 8090
    tokens: tuple[ApiToken, ...] = ()
    unauthenticated_writes: bool = False
    allowed_hosts: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    lock_timeout: float = durations.SERVER_LOCK_TIMEOUT
    access_log: bool = True

    @property
    def is_local(self) -> bool:
        """Return True if only programs of this machine can connect."""
        return is_loopback(self.host)

    def is_allowed_host(self, host: str) -> bool:
        """Return True for a Host header that names this server, with or without a port.

        Any other name may be one that its owner pointed at this machine (DNS rebinding). An address cannot
        be, and is what Prometheus and the probes of Kubernetes send to a server that others can reach.
        """
        name = _without_port(host)
        if not self.is_local and is_ip_address(name):
            return True
        if not name.startswith("[") and is_loopback(name):
            return True
        own = () if self.is_local or self.host in ("0.0.0.0", "::") else (self.host,)  # noqa: S104
        return normalized_host(name) in map(normalized_host, (*own, *self.allowed_hosts))

    def check(self) -> None:
        """Raise InvalidConfig if a server with these settings would be open to others."""
        if self.is_local:
            return
        if not self.tokens:
            raise InvalidConfig(_open(f"set {VARIABLE}", self.host))
        if self.unauthenticated_writes:
            raise InvalidConfig(_open("omit --allow-unauthenticated-writes", self.host))


def _without_port(host: str) -> str:
    if host.startswith("[") and "]" in host:
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host


def _open(remedy: str, host: str) -> Problem:
    return Problem(
        code="open-server",
        summary=f"a server on {host} would let everybody who reaches it change endpoints or read them",
        hint=f"{remedy}, or listen on this machine only: --listen 127.0.0.1:8090",
    )
