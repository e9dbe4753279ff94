"""The hosts that may receive the credentials of an inventory: the environment decides, not a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from shlex import quote
from typing import Final
from urllib.parse import urlsplit

from reconciler.config.environments import Environments
from reconciler.config.settings import TRUSTED_HOSTS
from reconciler.model.hosts import host_matches, is_loopback
from reconciler.model.inventory_location import ENGINES, Engine, postgres_parts, scheme_of
from reconciler.model.problem import Problem

_PARAMETERS: Final = frozenset({"inventory", "schema"})
"""Parameters that a file may set. Others say where to connect and how to prove who is there."""

_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*)(?::\d{1,5})?")
"""A host with its port, without escapes: one that is decoded later may become two."""


def untrusted_addresses(environments: Environments, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yield an error for each address of config.yaml that would send credentials to a host of its choice.

    The author of a pull request writes config.yaml, and a pipeline has the credentials. An address whose
    hosts are not certain is refused as well. The addresses of object stores have no host.
    """
    for setting, address in environments.addresses.items():
        where = f"`{setting}` of {environments.file}"
        match ENGINES.get(scheme_of(address)):
            case Engine(name="object_store"):
                continue
            case Engine(name="postgres"):
                parts = postgres_parts(address)
                hosts = _hosts(parts.hosts if parts else "#")
                names = {word.partition("=")[0] for word in parts.words} if parts else set()
            case _:
                hosts, names = _hosts(_netloc(address)), set()
        if unknown := sorted(names - _PARAMETERS):
            yield Problem(
                code="untrusted-parameter",
                summary=f"{where} sets {', '.join(unknown)}, which only the environment may set",
                hint="use the variables of the engine, such as PGSSLMODE; or export RECONCILER_STATE with the"
                " whole address",
            )
        if hosts is None:
            yield Problem(
                code="untrusted-address",
                summary=f"{where} is an address whose host is not certain",
                hint="write the host without escapes; or export RECONCILER_STATE with the address",
            )
        for host in hosts or ():
            if host and not (is_loopback(host) or host_matches(host, _trusted(environ))):
                yield Problem(
                    code="untrusted-host",
                    summary=f"{where} would send credentials to {host}, which {TRUSTED_HOSTS} does not name",
                    hint=f"export {TRUSTED_HOSTS}={quote(host)}   if that host may receive them; or export"
                    " RECONCILER_STATE with the address",
                )


def _netloc(address: str) -> str:
    """Return the host and the port of an address of HTTP, or what is no host."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return "#"


def _hosts(text: str) -> Sequence[str] | None:
    """Return the hosts of a list, in which PostgreSQL accepts several; None if one may be read as another."""
    found = [_HOST.fullmatch(part) for part in text.split(",")]
    return None if None in found else [host[1].strip("[]") for host in found if host]


def _trusted(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the hosts that the environment names; in a GitLab job also its server."""
    own = urlsplit(environ.get("CI_API_V4_URL", "")).hostname or ""
    named = re.split(r"[\s,]+", environ.get(TRUSTED_HOSTS, ""))
    return tuple(filter(None, (own, environ.get("PGHOST", ""), *named)))
