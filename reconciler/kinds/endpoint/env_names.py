"""Names of environment variables: which one an `env` key may be read from."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

_SET_BY_OTHERS: Final = re.compile(
    r"""
    (?: _ | CI | COLUMNS | DISPLAY | EDITOR | EUID | HOME | HOST | HOSTNAME | IFS | LANG | LANGUAGE | LINES
      | LOGNAME | MAIL | NO_COLOR | OLDPWD | PAGER | PATH | PPID | PS[1-4] | PWD | SHELL | SHELLOPTS | SHLVL
      | TEMP | TERM | TMP | TMPDIR | TZ | UID | USER | USERNAME | VIRTUAL_ENV | VISUAL
      | (?: ACTIONS | BUILDKITE | CI | CIRCLE | CONDA | GIT | GITHUB | GITLAB | JENKINS | LC | LD | NOVITA
          | PIP | RECONCILER | RUNNER | SSH | SUDO | TRAVIS | XDG ) _ .*
      | (?: BASH | PYTHON ) .*
      | [A-Z]+ _PROXY
    ) \Z
    """,
    re.VERBOSE,
)
"""What shells, login managers, CI systems, loaders, Python and this program set or heed themselves."""


def is_free(name: str) -> bool:
    """Whether a variable of that name means nothing to anybody else."""
    return _NAME.match(name) is not None and not _SET_BY_OTHERS.match(name.upper())


def prefixed(endpoint: str, key: str) -> str:
    """A free name for one endpoint's key, in capitals."""
    name = re.sub(r"[^A-Z0-9]", "_", f"{endpoint}_{key}".upper())
    return name if is_free(name) else f"ENDPOINT_{name}"


def variable_for(endpoint: str, key: str) -> str:
    """The key itself where that is free."""
    return key if is_free(key) else prefixed(endpoint, key)


def reference_to(variable: str) -> str:
    """How YAML refers to a variable."""
    return f"${{env:{variable}}}"
