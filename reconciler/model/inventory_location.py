"""The location of an inventory: a path, or the address of a place that a team shares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from reconciler.model.hosts import is_loopback
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem

Location: TypeAlias = Path | str
"""A path, or an address as text, because a path would have only one of its slashes."""

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine that keeps inventories. extra: that of its packages, or "". credentials: its variables."""

    name: str
    extra: str
    credentials: str
    example: str


_POSTGRES: Final = Engine(
    name="postgres",
    extra="postgres",
    credentials="PGUSER and PGPASSWORD, or PGPASSFILE, or PGSERVICE",
    example="postgres://db.example.com/infra?inventory=prod",
)
_HTTP: Final = Engine(
    name="terraform_http",
    extra="",
    credentials="TF_HTTP_USERNAME and TF_HTTP_PASSWORD",
    example="https://gitlab.example.com/api/v4/projects/1/terraform/state/prod",
)


def _object_store(scheme: str, credentials: str) -> Engine:
    return Engine(
        name="object_store", extra="object-store", credentials=credentials, example=f"{scheme}://bucket/prod"
    )


ENGINES: Final[Mapping[str, Engine]] = {
    "postgres": _POSTGRES,
    "postgresql": _POSTGRES,
    "s3": _object_store("s3", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    "gs": _object_store("gs", "GOOGLE_APPLICATION_CREDENTIALS"),
    "az": _object_store("az", "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY"),
    "https": _HTTP,
    "http": _HTTP,
}
"""The engine of each scheme."""

_SECRET_PARAMETERS: Final = re.compile(r"pass|secret|token|key|credential|signature|sig$", re.IGNORECASE)
_FILE_PARAMETERS: Final = ("sslkey", "passfile")
"""Parameters of libpq that name a file."""


_POSTGRES_PARTS: Final = re.compile(
    r"postgres(?:ql)?://(?:(?P<user>[^@:/?#]*)@)?(?P<hosts>[^@/?#]*)(?:/[^@/?#]*)?(?:\?(?P<query>[^@?#]*))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresParts:
    """What an address of PostgreSQL says about the connection, still with its `%` escapes.

    hosts: with their ports, separated by commas. words: the parameters, each as it is written.
    """

    hosts: str
    words: tuple[str, ...]


def postgres_parts(address: str) -> PostgresParts | None:
    """Return the parts of an address, or None if it could be read in more than one way.

    libpq knows no fragments, and ends the user at the first `@`; other parsers of URLs do neither. So `@` may
    only end the user, `?` only begins the parameters, and there is no `#`: all of them can be escaped.
    """
    found = _POSTGRES_PARTS.fullmatch(address)
    if found is None:
        return None
    words = (found["query"] or "").split("&")
    return PostgresParts(hosts=found["hosts"], words=tuple(filter(None, words)))


def is_address(text: str) -> bool:
    """Return whether a text is an address and not a path."""
    return _SCHEME.match(text) is not None


def parse_location(text: str) -> Location:
    """Return the location that a user gave as an option, a variable or a setting."""
    return text if is_address(text) else Path(text)


def scheme_of(address: str) -> str:
    """Return the scheme of an address in lower case."""
    return address.partition("://")[0].lower()


def location_problem(address: str) -> Problem | None:
    """Return an error for an address that no store has, or that contains a credential."""
    scheme = scheme_of(address)
    if (engine := ENGINES.get(scheme)) is None:
        known = ", ".join(f"{name}://" for name in ENGINES if name != "http")
        return Problem(
            code="unknown-store",
            summary=f"an inventory cannot be kept at a `{scheme}://` address",
            hint=f"name a path, or an address that begins with one of {known}",
        )
    what = f"the `{scheme}://` address of the inventory"
    try:
        url = urlsplit(address)
        host, password, user = url.hostname or "", url.password, url.username
        parameters = [name for name, _ in parse_qsl(url.query, keep_blank_values=True)]
    except ValueError:
        return Problem(code="bad-address", summary=f"{what} is not a URL", hint=f"such as {engine.example}")
    is_secret = any(_SECRET_PARAMETERS.search(name) for name in parameters if name not in _FILE_PARAMETERS)
    if password is not None or (user is not None and engine is not _POSTGRES) or is_secret:
        return Problem(
            code="credential-in-address",
            summary=f"{what} contains a credential",
            hint=f"leave it out, and set {engine.credentials}",
        )
    if engine is _POSTGRES and postgres_parts(address) is None:
        return Problem(
            code="bad-address",
            summary=f"{what} has `@`, `?` or `#` where it can be misread",
            hint=f"write it like {engine.example}, and such a character in a value as %40, %3F or %23",
        )
    if scheme == "http" and not is_loopback(host):
        return Problem(
            code="insecure-address",
            summary=f"the inventory would be sent to {host} without encryption",
            hint="use https://; http:// is only for a server on this machine",
        )
    return None
