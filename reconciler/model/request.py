"""HTTP as values: a kind returns requests, only `novita.client` sends them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.encoding import pretty
from reconciler.model.values import Json, Keyring, Value, digest, mask, reveal

API_ROOT = "/gpu-instance/openapi/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call. `body` may hold secrets until it is sent.

    `safe` says that sending it twice does what sending it once does; a create is never safe.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Value = None
    safe: bool = True

    def content(self) -> bytes:
        """The bytes of the body on the wire; keys in sending order, UTF-8."""
        return b"" if self.body is None else encode(reveal(self.body))

    def shown(self) -> Json:
        """The body as people may see it."""
        return mask(self.body)

    def fingerprint(self, keyring: Keyring) -> str:
        """SHA-256 of the body with each secret replaced by its keyed fingerprint."""
        return digest(self.body, keyring)


def encode(body: Json) -> bytes:
    """JSON as we send it and as `preview` prints it: indented, UTF-8, keys in the order given."""
    return pretty(body).encode()
