"""The hosts that may receive the credentials of an inventory: the environment decides, not a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from reconciler.config.environments import Environments
from reconciler.config.settings import TRUSTED_HOSTS
from reconciler.model.hosts import host_matches, is_loopback
from reconciler.model.problem import Problem

_PARAMETERS: Final = frozenset({"inventory", "schema"})
"""Parameters that a file may set. Others say where to connect and how to prove who is there."""

_SCHEMES: Final = ("postgres", "postgresql", "http", "https")
"""Schemes of addresses with a host. The addresses of object stores have none."""


def untrusted_addresses(environments: Environments, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yield an error for each address of config.yaml that would send credentials to a host of its choice.

    The author of a pull request writes config.yaml, and a pipeline has the credentials.
    """
    for setting, address in environments.addresses.items():
        url = urlsplit(address)
        if url.scheme.lower() not in _SCHEMES:
            continue
        where = f"`{setting}` of {environments.file}"
        if unknown := sorted({name for name, _ in parse_qsl(url.query)} - _PARAMETERS):
            yield Problem(
                code="untrusted-parameter",
                summary=f"{where} sets {', '.join(unknown)}, which only the environment may set",
                hint="use the variables of the engine, such as PGSSLMODE; or export RECONCILER_STATE with the"
                " whole address",
            )
        for host in _hosts(url.netloc):
            if host and not (is_loopback(host) or host_matches(host, _trusted(environ))):
                yield Problem(
                    code="untrusted-host",
                    summary=f"{where} would send credentials to {host}, which {TRUSTED_HOSTS} does not name",
                    hint=f"export {TRUSTED_HOSTS}={quote(host)}   if that host may receive them; or export"
                    " RECONCILER_STATE with the address",
                )


def _hosts(netloc: str) -> Iterator[str]:
    """Yield the hosts of an address; PostgreSQL accepts several."""
    for part in netloc.rpartition("@")[2].split(","):
        yield urlsplit(f"//{part}").hostname or ""


def _trusted(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the hosts that the environment names; in a GitLab job also its server."""
    own = urlsplit(environ.get("CI_API_V4_URL", "")).hostname or ""
    named = re.split(r"[\s,]+", environ.get(TRUSTED_HOSTS, ""))
    return tuple(filter(None, (own, environ.get("PGHOST", ""), *named)))
