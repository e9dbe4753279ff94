"""The address of an inventory in PostgreSQL.

    postgres://[USER@]HOST[:PORT]/DATABASE?inventory=NAME&schema=NAME

The rest is a connection URI of libpq, with all its parameters, such as `sslmode=verify-full`.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final
from urllib.parse import quote, unquote

from reconciler.model.errors import InventoryError
from reconciler.model.inventory_location import postgres_parts
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem

DEFAULT_INVENTORY: Final = "default"
DEFAULT_SCHEMA: Final = "novita_reconciler"
SCHEMES: Final = ("postgres://", "postgresql://")

_EXAMPLE: Final = "postgres://db.internal/infra?inventory=prod"
_SECRET: Final = frozenset({"password", "sslpassword"})
_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_MAX_NAME: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An inventory in a schema of a database. uri: the connection URI of libpq, without both."""

    uri: str
    inventory: str = DEFAULT_INVENTORY
    schema: str = DEFAULT_SCHEMA

    @property
    def key(self) -> int:
        """The key of the advisory lock, a signed number of 64 bits."""
        name = f"novita-reconciler:{self.schema}:{self.inventory}"
        return int.from_bytes(sha256(name.encode()).digest()[:8], signed=True)

    @property
    def label(self) -> str:
        """The address as it can be typed."""
        words = [f"inventory={quote(self.inventory, safe='')}"]
        if self.schema != DEFAULT_SCHEMA:
            words.append(f"schema={self.schema}")
        return f"{self.uri}{'&' if '?' in self.uri else '?'}{'&'.join(words)}"


def parse_address(text: str) -> Address:
    """Return the parts of an address. Raise InventoryError, which shows no part of a bad address."""
    place = text.partition("?")[0]
    if not place.startswith(SCHEMES):
        raise _invalid("it does not begin with postgres://")
    if not text.isprintable():
        raise _invalid("it has characters that cannot be printed")
    authority = place.partition("://")[2].partition("/")[0]
    user, at, _ = authority.rpartition("@")
    if at and ":" in user:
        raise _with_password()
    if (parts := postgres_parts(text)) is None:
        raise _invalid("it has `@`, `?` or `#` where it can be misread; in a value, write %40, %3F or %23")
    found = {"inventory": DEFAULT_INVENTORY, "schema": DEFAULT_SCHEMA}
    others = []
    for word in parts.words:
        key, _, value = word.partition("=")
        if unquote(key) in _SECRET:
            raise _with_password()
        if key in found:
            found[key] = unquote(value)
        else:
            others.append(word)
    if not _SCHEMA.fullmatch(found["schema"]):
        raise _invalid("its schema is not a name of small letters, digits and underscores")
    name = found["inventory"]
    if not name.isprintable() or not 0 < len(name) <= _MAX_NAME:
        raise _invalid(f"its inventory is not a name of 1 to {_MAX_NAME} printable characters")
    return Address(
        uri="?".join(filter(None, (place, "&".join(others)))), inventory=name, schema=found["schema"]
    )


def _with_password() -> InventoryError:
    return InventoryError(
        Problem(
            code="store-address",
            summary="the address of the PostgreSQL store contains a password",
            detail="Addresses are printed, stored and seen by other users of this machine.",
            hint="Leave the password out, and put it into PGPASSWORD or ~/.pgpass",
        )
    )


def _invalid(why: str) -> InventoryError:
    return InventoryError(
        Problem(
            code="store-address",
            summary=f"the address of the PostgreSQL store cannot be used: {why}",
            hint=f"Write it like {_EXAMPLE}",
        )
    )
