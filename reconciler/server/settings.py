"""The settings of a server."""

from __future__ import annotations

from typing import Final

from reconciler.model.hosts import is_loopback
from reconciler.model.lazy_dataclass import dataclass

DEFAULT_LISTEN: Final = "127.0.0.1:8090"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """The settings of a server. host: the address to listen on; port: 0 chooses a free one."""

    host: str = "127.0.0.1"
    port: int = 8090

    @property
    def is_local(self) -> bool:
        """Return True if only programs of this machine can connect."""
        return is_loopback(self.host)
