"""Which variables and files a reference may read, whoever wrote the YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import Final

ALLOWED: Final = "RECONCILER_ALLOW_ENV"
"""Globs of the variables that references may read, between commas or spaces; unset, all but the protected."""

API_KEY: Final = "NOVITA_API_KEY"

_PROTECTED: Final = re.compile(
    r"""
    NOVITA_API_KEY                                  # gives the whole account to whoever holds it
    | RECONCILER_ .*                                # the key of the fingerprints, and this very list
    | (?: GH | GITHUB ) _ (?: ENTERPRISE_ )? TOKEN  # GitHub: may push, and act as the workflow
    | INPUT_ (?: .* _ )? TOKEN                      # ... as it is handed to an action
    | ACTIONS_ .*                                   # ... runtime and OIDC tokens, and where to get them
    | GITLAB_ .*                                    # GitLab: whatever token a project keeps under its name
    | CI_JOB_ (?: TOKEN | JWT .* )                  # ... the job's own
    | CI_ (?: REGISTRY | DEPLOY | DEPENDENCY_PROXY ) _PASSWORD
    | CI_ (?: BUILD | RUNNER ) _TOKEN | CI_REPOSITORY_URL   # ... older names, and an URL with the token in it
    | SYSTEM_ACCESSTOKEN | (?: SYSTEM_ )? OIDCREQUEST .*    # Azure Pipelines
    | PUSH_TOKEN                                    # ... what our recipe writes the repository with
    | BITBUCKET_ .* TOKEN                           # Bitbucket: OIDC and repository tokens
    | CIRCLE_ (?: .* _ )? (?: TOKEN | TOKEN_V2 )    # CircleCI
    | BUILDKITE_ .* TOKEN                           # Buildkite: the agent's
    | (?: DRONE | CI ) _NETRC_ .*                   # Drone and Woodpecker: what clones the repository
    """,
    re.VERBOSE,
)


def refused_variable(name: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Why a reference may not read this variable, and the way out; None when it may."""
    if _PROTECTED.fullmatch(name.upper()):
        return (
            f"references never read {name}, which belongs to reconciler or to the CI",
            "give the endpoint a credential of its own, in a variable with another name",
        )
    allowed = environ.get(ALLOWED)
    if allowed is None or any(fnmatchcase(name, glob) for glob in re.split(r"[,\s]+", allowed) if glob):
        return None
    return (
        f"{ALLOWED} does not list {name}",
        f"if it may, add {name} to {ALLOWED} where reconciler runs (in the GitHub action: `allow-env`)",
    )


def refused_part(path: PurePath) -> str | None:
    """The part of a path, relative to the root, that no reference may go through; None when there is none."""
    return next((part for part in path.parts if _is_private(part.lower())), None)


def _is_private(part: str) -> bool:
    return part in (".git", ".git-credentials", ".netrc") or part.startswith(".env")
