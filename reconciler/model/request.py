"""An HTTP request as a value. Kinds return requests, and only `novita.http.client` sends them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final
from urllib.parse import unquote

from reconciler.model.encoding import json_indented
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.secrets import Keyring, Secret, digest, mask, reveal
from reconciler.model.values import Json, Value, replace_references

API_ROOT = "/gpu-instance/openapi/v1"

_HEADER_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_OWN_HEADERS: Final = (
    r"host|content-length|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|proxy-.*"
)
"""Headers that belong to the connection."""


def is_header_value(text: str) -> bool:
    """Return True if a text can be sent as an API key in a header: printable ASCII without spaces."""
    return text.isascii() and text.isprintable() and " " not in text


def header_fault(name: str, value: str) -> str:
    """Return why a header cannot be sent, as a phrase that follows its name, or "". It quotes no value."""
    if not re.fullmatch(_HEADER_NAME, name):
        return "is not the name of a header"
    if re.fullmatch(_OWN_HEADERS, name.lower()):
        return "belongs to the connection and cannot be set"
    is_plain = value.isascii() and value.replace("\t", " ").isprintable()
    return "" if is_plain else "has a control character or a letter outside ASCII"


def climbs(path: str) -> bool:
    """Return True if a path has a segment `..`, which may leave the path of a URL.

    Percent-encoded ones count too, also encoded several times: each gateway on the way may decode them once.
    """
    text = path.partition("?")[0]
    while (decoded := unquote(text)) != text:
        text = decoded
    return ".." in re.split(r"[/\\\\]", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One API request. `body` may contain secrets.

    `is_idempotent` is True if sending the request twice has the effect of sending it once; a create never is.
    `is_confidential` is True if the answer may hold secrets of others, so that no message quotes it.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Value = None
    is_idempotent: bool = True
    is_confidential: bool = False

    def body_bytes(self) -> bytes:
        """Return the body as it is sent: UTF-8, keys in the given order, secrets revealed."""
        return b"" if self.body is None else json_indented(self.body, _revealed).encode()

    def masked_body(self) -> Json:
        """Return the body as people may see it."""
        return mask(replace_references(self.body, str))

    def revealed_body(self) -> Json:
        """Return the body with the secrets in clear text. An ID that is not known yet is `UNKNOWN_TEXT`."""
        return reveal(replace_references(self.body, str))

    def fingerprint(self, keyring: Keyring) -> str:
        """Return the SHA-256 of the body, with each secret replaced by its keyed fingerprint."""
        return digest(self.body, keyring)


def _revealed(value: object) -> Json:
    """Return the JSON of a secret, for the encoder. Raise TypeError for a seal, and for a reference."""
    if isinstance(value, Secret):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is not JSON")


def encode_body(body: Json) -> bytes:
    """Return JSON as it is sent and as `preview` prints it: indented, UTF-8, keys in the given order."""
    return json_indented(body).encode()
