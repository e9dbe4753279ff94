"""The credentials for a repository. They are given to git in variables, which other users cannot see."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from shlex import join
from typing import Final

from reconciler.controller.git.address import GitAddress
from reconciler.model.errors import SourceError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem

TOKEN: Final = "RECONCILER_GIT_TOKEN"  # noqa: S105 - a name
TOKEN_FILE: Final = "RECONCILER_GIT_TOKEN_FILE"  # noqa: S105 - a name
USERNAME: Final = "RECONCILER_GIT_USERNAME"
SSH_KEY: Final = "RECONCILER_GIT_SSH_KEY"
KNOWN_HOSTS: Final = "RECONCILER_GIT_KNOWN_HOSTS"
"""Variables of the operator. Those that end in FILE, KEY and HOSTS name a file."""

_DEFAULT_USERNAME: Final = "x-access-token"
"""The user of the tokens of GitHub's apps. GitHub and GitLab accept any user with other tokens."""

_SSH_OPTIONS: Final = {
    "BatchMode": "yes",  # ask for nothing
    "StrictHostKeyChecking": "yes",  # a new host key is not trusted
    "ClearAllForwardings": "yes",
    "ControlMaster": "no",
    "ControlPath": "none",  # a shared connection would outlive this run
    "PermitLocalCommand": "no",
    "ConnectTimeout": "10",
    "ServerAliveInterval": "10",
    "ServerAliveCountMax": "3",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Variables for git, and the texts in them that are secret."""

    variables: Mapping[str, str]
    secrets: tuple[str, ...] = ()

    def hidden(self, text: str) -> str:
        """Return the text without the secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def access_of(address: GitAddress, environ: Mapping[str, str]) -> Access:
    """Return the credentials for a repository. Raise SourceError if a file of them cannot be read.

    They are read each time, because a token in a file may be replaced while the process runs.
    """
    if address.protocol == "ssh":
        return Access(variables={"GIT_SSH_COMMAND": _ssh_command(environ), "GIT_SSH_VARIANT": "ssh"})
    token = _token(environ) if address.protocol in ("https", "http") else ""
    if not token:
        return Access(variables={})
    username = environ.get(USERNAME, "").strip() or _DEFAULT_USERNAME
    basic = b64encode(f"{username}:{token}".encode()).decode()
    return Access(
        variables={
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.{address.url}.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
        },
        secrets=(token, basic),
    )


def _ssh_command(environ: Mapping[str, str]) -> str:
    """Return the command of ssh, which a shell splits into words."""
    options = dict(_SSH_OPTIONS)
    if hosts := _named_file(environ, KNOWN_HOSTS):
        options |= {"UserKnownHostsFile": _ssh_path(hosts), "GlobalKnownHostsFile": "none"}
    if key := _named_file(environ, SSH_KEY):
        options |= {"IdentityFile": _ssh_path(key), "IdentitiesOnly": "yes", "IdentityAgent": "none"}
    return join(["ssh", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))])


def _ssh_path(path: str) -> str:
    """Return a path as ssh reads it: it splits words at spaces, and a percent sign begins a token."""
    return f'"{path.replace("%", "%%")}"'


def _token(environ: Mapping[str, str]) -> str:
    path = _named_file(environ, TOKEN_FILE)
    try:
        text = Path(path).read_text(encoding="ascii") if path else environ.get(TOKEN, "")
    except (OSError, ValueError) as error:
        raise _unusable(
            TOKEN_FILE, f"cannot be read: {getattr(error, 'strerror', None) or 'not ASCII'}"
        ) from None
    token = text.strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise _unusable(
            TOKEN_FILE if path else TOKEN, "is not a token: it has a space or an unusual character"
        )
    return token


def _named_file(environ: Mapping[str, str], variable: str) -> str:
    """Return the absolute path of a file that a variable names, or ""."""
    path = environ.get(variable, "")
    if path and not Path(path).is_file():
        raise _unusable(variable, f"names {path}, which is no file")
    return str(Path(path).absolute()) if path else ""


def _unusable(variable: str, reason: str) -> SourceError:
    hint = f"correct {variable}; docs/run.md says which credentials a repository needs"
    return SourceError(Problem(code="git-credentials", summary=f"{variable} {reason}", hint=hint))
