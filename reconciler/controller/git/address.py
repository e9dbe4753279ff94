"""The address of declared files in git: the repository, the ref and the folder."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from reconciler.model.command import shell_quote
from reconciler.model.errors import InvalidConfig
from reconciler.model.hosts import host_error, is_loopback
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem

HEAD: Final = "HEAD"

_COMMIT: Final = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_REF: Final = re.compile(
    r"(?!.*(?:\.\.|//|@\{|/\.|\.lock(?:/|\Z)))[^-/.\s~^:?*\[\\\x00-\x20\x7f][^\s~^:?*\[\\\x00-\x20\x7f]*(?<![/.])\Z"
)
"""The rules of `git check-ref-format`, and no dash at the beginning."""

_SSH: Final = re.compile(
    r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*@)?(?P<host>[A-Za-z0-9_][A-Za-z0-9._-]*):(?P<path>(?!//)[^-:\s][^:\s]*)\Z"
)
"""The short form `git@host:path`."""

_USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitAddress:
    """A folder of a repository at a ref. `path` is relative to the top, or "". `protocol` is that of git."""

    url: str
    ref: str
    path: str
    protocol: str

    @classmethod
    def parse(cls, url: str, ref: str = "", path: str = "") -> GitAddress:
        """Return the address of --git, --ref and --path. Raise InvalidConfig if one of them is invalid.

        Without a ref it is the default branch of the server.
        """
        url, protocol = _checked_url(url)
        if ref and not _REF.match(ref):
            raise _invalid(
                f"--ref {shell_quote(ref)} is not the name of a ref",
                "name a branch, a tag, a full ref such as refs/heads/main, or a whole commit",
            )
        return cls(url=url, ref=ref or HEAD, path=_checked_path(path), protocol=protocol)

    @property
    def commit(self) -> str:
        """Return the commit if the ref is one, else ""."""
        return self.ref if _COMMIT.match(self.ref) else ""

    @property
    def digest(self) -> str:
        """Return a name for a folder that belongs to this repository and path."""
        return hashlib.sha256(f"{self.url}\0{self.path}".encode()).hexdigest()[:16]

    @property
    def candidates(self) -> tuple[str, ...]:
        """Return the full names that the ref may stand for."""
        if self.ref == HEAD or self.ref.startswith("refs/"):
            return (self.ref,)
        return f"refs/heads/{self.ref}", f"refs/tags/{self.ref}"

    def __str__(self) -> str:
        return f"{self.url} at {self.ref}"


def is_commit(text: str) -> bool:
    """Return whether the text is a whole object ID."""
    return _COMMIT.match(text) is not None


def _checked_url(text: str) -> tuple[str, str]:
    """Return the URL for git, and its protocol. The text is not repeated if it may hold a password."""
    if not text.isprintable() or " " in text:
        raise _invalid("--git is not a URL: it has a space or an unprintable character", _FORMS)
    if text.startswith(("/", "./", "../")):
        return f"file://{Path(text).resolve()}", "file"
    if match := _SSH.match(text):
        _check_host(match["host"])
        return text, "ssh"
    try:
        parts = urlsplit(text)
        host, has_login = parts.hostname or "", parts.username is not None
        _ = parts.port
    except ValueError:
        raise _invalid("--git is not a URL", _FORMS) from None
    if parts.query or parts.fragment or parts.password is not None:
        raise _invalid(
            "--git has a password or a query, which others can see in the list of processes", _SECRETS
        )
    if parts.scheme == "file" and not host and parts.path.startswith("/"):
        return f"file://{Path(parts.path).resolve()}", "file"
    if parts.scheme not in ("https", "http", "ssh") or not parts.path.strip("/"):
        raise _invalid("--git is not the URL of a repository that is read", _FORMS)
    _check_host(host)
    if parts.scheme == "ssh":
        if has_login and not _USER.match(parts.username or ""):
            raise _invalid("--git has an invalid user name", _FORMS)
        return text, "ssh"
    if has_login:
        raise _invalid("--git has a user name, which may be a token", _SECRETS)
    if parts.scheme == "http" and not is_loopback(host):
        raise _invalid(
            "--git is not https, so others could change what is declared", "write https:// instead"
        )
    return text, parts.scheme


_FORMS: Final = "write https://HOST/PATH, ssh://git@HOST/PATH, git@HOST:PATH, or the path of a folder"
_SECRETS: Final = (
    "leave it out, and put a token into RECONCILER_GIT_TOKEN, its user name into RECONCILER_GIT_USERNAME"
)


def _check_host(host: str) -> None:
    if error := "begins with a dash" if host.startswith("-") else host_error(host):
        raise _invalid(f"--git is not a URL: the host {error}", _FORMS)


def _checked_path(text: str) -> str:
    """Return the folder with single slashes, "" for the top."""
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if text.startswith("/") or ".." in parts or not text.isprintable() or "\\" in text:
        hint = "name a folder of the repository, such as --path infra/gpu"
        raise _invalid(f"--path {shell_quote(text)} leads out of the repository", hint)
    if any(part.lower() == ".git" for part in parts):
        raise _invalid(f"--path {shell_quote(text)} is a folder of git itself", "name a folder of the files")
    return "/".join(parts)


def _invalid(summary: str, hint: str) -> InvalidConfig:
    return InvalidConfig(Problem(code="git-address", summary=summary, hint=hint, exit_code=ExitCode.USAGE))
