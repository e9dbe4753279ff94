"""The addresses, the methods and the credential for one state, from its address and Terraform's variables."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import SplitResult, urlsplit

from reconciler.model.errors import InventoryError
from reconciler.model.hosts import host_error, is_loopback, normalized_host
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.request import climbs
from reconciler.novita.http.auth import DEFAULT_PORTS

GITLAB_PATH: Final = "/terraform/state/"
"""Part of the path of each state that GitLab manages."""

EXAMPLE: Final = "https://gitlab.example.com/api/v4/projects/42/terraform/state/prod"

BESIDE: Final = "-run"
"""The end of the name of the state beside another one."""

_METHOD: Final = re.compile(r"[A-Z]{1,20}")
_CI_USER: Final = "gitlab-ci-token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A method and an address that it is sent to."""

    method: str
    url: SplitResult

    def __str__(self) -> str:
        return f"{self.method} {self.url.geturl()}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StateAddress:
    """One state on a server. `authorization`: the header, or "". Its text form does not show it.

    is_gitlab: GitLab keeps only the ID of a lock, and refuses a serial that it has already.
    """

    label: str
    is_gitlab: bool
    read: Target
    write: Target
    lock: Target
    unlock: Target
    authorization: str

    def beside(self) -> StateAddress:
        """Return the state beside this one. Raise InventoryError if the address of its lock is not known."""
        own = self.read.url.path

        def moved(target: Target) -> Target:
            path = target.url.path
            if path != own and not path.startswith(f"{own}/"):
                raise _refused(
                    "cannot-lead",
                    f"the address for {target.method} is not below {self.label}, so the address of another "
                    "lock beside it is not known",
                    "Set TF_HTTP_LOCK_ADDRESS and TF_HTTP_UNLOCK_ADDRESS to addresses that begin with the "
                    "state's, or keep the inventory in another store",
                )
            return replace(target, url=target.url._replace(path=f"{own}{BESIDE}{path.removeprefix(own)}"))

        return replace(
            self,
            label=f"{self.label}{BESIDE}",
            read=moved(self.read),
            write=moved(self.write),
            lock=moved(self.lock),
            unlock=moved(self.unlock),
        )


def parse_address(address: str, environ: Mapping[str, str]) -> StateAddress:
    """Return the state at an address. Raise InventoryError, which never shows a credential."""
    url = _parse(address, "The address of the inventory")
    label = url.geturl()
    is_gitlab = GITLAB_PATH in url.path
    if is_gitlab:
        lock_url = unlock_url = url._replace(path=f"{url.path}/lock")
        methods = ("POST", "POST", "DELETE")
    else:
        lock_url = _other_address("TF_HTTP_LOCK_ADDRESS", environ, url)
        # Terraform has no default here, but servers take both at one address.
        unlock_url = _other_address("TF_HTTP_UNLOCK_ADDRESS", environ, lock_url)
        methods = (
            _method("TF_HTTP_UPDATE_METHOD", environ, "POST"),
            _method("TF_HTTP_LOCK_METHOD", environ, "LOCK"),
            _method("TF_HTTP_UNLOCK_METHOD", environ, "UNLOCK"),
        )
    update, lock, unlock = methods
    return StateAddress(
        label=label,
        is_gitlab=is_gitlab,
        read=Target(method="GET", url=url),
        write=Target(method=update, url=url),
        lock=Target(method=lock, url=lock_url),
        unlock=Target(method=unlock, url=unlock_url),
        authorization=_authorization(url, environ),
    )


def origin(url: SplitResult) -> tuple[str, str, int]:
    """Return scheme, host and port, which together name a server."""
    return url.scheme, normalized_host(url.hostname or ""), url.port or DEFAULT_PORTS[url.scheme]


def _parse(text: str, name: str) -> SplitResult:
    try:
        url = urlsplit(text)
        is_valid = url.scheme in DEFAULT_PORTS and url.port != 0 and not host_error(url.hostname or "")
    except ValueError:
        is_valid = False
    if not is_valid or not text.isascii() or not text.isprintable() or " " in text:
        raise _refused("bad-address", f"{name} is not the URL of a state", f"Write one such as {EXAMPLE}")
    if "@" in url.netloc:
        raise _refused(
            "credential-in-address",
            f"{name} contains a user name or a password",
            "Leave it out, and set TF_HTTP_USERNAME and TF_HTTP_PASSWORD instead",
        )
    if url.query or url.fragment or climbs(url.path):
        raise _refused(
            "bad-address", f"{name} has more than a host and a path", f"Write one such as {EXAMPLE}"
        )
    if url.scheme == "http" and not is_loopback(url.hostname or ""):
        raise _refused(
            "insecure-address",
            f"{name} would send the inventory and the credential without encryption",
            "Use https://; http:// is only for a server on this machine",
        )
    return url._replace(path=url.path.rstrip("/"))


def _other_address(name: str, environ: Mapping[str, str], default: SplitResult) -> SplitResult:
    return _parse(text, name) if (text := environ.get(name, "").strip()) else default


def _method(name: str, environ: Mapping[str, str], default: str) -> str:
    method = environ.get(name, "").strip() or default
    if not _METHOD.fullmatch(method):
        raise _refused("invalid-environment", f"{name} is not an HTTP method", f"Set {name}={default}")
    return method


def _authorization(url: SplitResult, environ: Mapping[str, str]) -> str:
    """Return the header with the user's credential, or with the token of the job if this is its GitLab."""
    user, password = environ.get("TF_HTTP_USERNAME", ""), environ.get("TF_HTTP_PASSWORD", "")
    if not user and not password:
        token = environ.get("CI_JOB_TOKEN", "")
        if not token or not _is_server_of_job(url, environ):
            return ""
        user, password = _CI_USER, token
    if not user or not password:
        missing, there = "TF_HTTP_USERNAME", "TF_HTTP_PASSWORD"
        if user:
            missing, there = there, missing
        raise _refused(
            "invalid-environment",
            f"{there} is set, and {missing} is not",
            f"Set {missing} too; for a token of GitLab, the user name may be any text",
        )
    if ":" in user or not f"{user}{password}".isprintable():
        raise _refused(
            "invalid-environment",
            "TF_HTTP_USERNAME or TF_HTTP_PASSWORD contains a character that cannot be sent",
            "Copy both again; a user name has no colon",
        )
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _is_server_of_job(url: SplitResult, environ: Mapping[str, str]) -> bool:
    for name in ("CI_API_V4_URL", "CI_SERVER_URL"):
        try:
            own = urlsplit(environ.get(name, ""))
            if own.scheme in DEFAULT_PORTS and own.hostname and origin(own) == origin(url):
                return True
        except ValueError:
            continue
    return False


def _refused(code: str, summary: str, hint: str) -> InventoryError:
    return InventoryError(Problem(code=code, summary=summary, hint=hint))
