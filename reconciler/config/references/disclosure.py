"""Decides if the value of a reference may be shown: a plain word whose source is not named like a secret."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"/|/?[A-Za-z0-9][A-Za-z0-9._/:@-]{0,127}", re.ASCII)
"""A tag, a name, a version, an image, or a path."""

_TOKEN: Final = re.compile(
    r"(?i:sk|pk|rk|hf|gh[a-z]|github_pat|gl[a-z]+|xox[a-z]|npm|pypi|nvapi|r8|whsec|dop_v1|shp[a-z]+|vault|hvs)[_-]"
    r"|AKIA|ASIA|AIza|eyJ|SG\."
)
"""Prefixes of the tokens of well-known services."""

_RANDOM: Final = re.compile(r"(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{20}")
"""Twenty consecutive letters and digits, which no usual name has."""

_DIGEST: Final = re.compile(r"(?<![A-Za-z0-9])(?:[0-9a-f]{40}|(?:sha256:)?[0-9a-f]{64})(?![A-Za-z0-9])")
"""A commit hash or an image digest, which are as public as the image."""

_SECRET_NAME: Final = re.compile(
    r"""
    KEY | TOKEN | SECRET | PASS | PASWD | PWD | CRED | AUTH | PRIVATE | PRIV_ | DSN | JWT | BEARER | COOKIE
    | SESSION | SIGNATURE | SIGNING | WEBHOOK | CERT | CONNECTION | CONN_?STR | SALT | SEED | NETRC
    | (?<![A-Z]) (?: PAT | PIN | OTP | MFA | PEM | PSK | SIG | SAS | PW | CONN ) (?![A-Z])
    """,
    re.VERBOSE,
)


def is_secret_name(name: str) -> bool:
    """Return True if a variable or a file is named like a secret. PWD and OLDPWD are folders of a shell."""
    return name not in ("PWD", "OLDPWD") and _SECRET_NAME.search(name.upper()) is not None


def is_showable(name: str, value: str) -> bool:
    """Return True if the value of a reference to `name`, a variable or a file, may be shown.

    Empty text may be shown. Other values must be one plain word of at most 128 characters that does not look
    like a token, a URL or a user with a password, and `name` must not be named like a secret.
    """
    if not value:
        return True
    if is_secret_name(name) or not _WORD.fullmatch(value) or _TOKEN.match(value):
        return False
    rest = _DIGEST.sub("", value)
    return "://" not in rest and "@" not in rest.removesuffix("@") and not _RANDOM.search(rest)
