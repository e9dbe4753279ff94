"""The variables and files that references may read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import Final

ALLOW_ENV: Final = "RECONCILER_ALLOW_ENV"
"""Variable with globs of the variables that references may read; unset, all but the protected ones."""

API_KEY: Final = "NOVITA_API_KEY"

_PROTECTED: Final = re.compile(
    r"""
    NOVITA_API_KEY                                  # gives access to the whole account
    | RECONCILER_ .*                                # the key of the fingerprints, and this list
    | (?: GH | GITHUB ) _ (?: ENTERPRISE_ )? TOKEN  # GitHub: may push, and act as the workflow
    | INPUT_ (?: .* _ )? TOKEN                      # ... as an input of an action
    | ACTIONS_ .*                                   # ... runtime and OIDC tokens, and their URLs
    | GITLAB_ .*                                    # GitLab: tokens of a project
    | CI_JOB_ (?: TOKEN | JWT .* )                  # ... tokens of the job
    | CI_ (?: REGISTRY | DEPLOY | DEPENDENCY_PROXY ) _PASSWORD
    | CI_ (?: BUILD | RUNNER ) _TOKEN | CI_REPOSITORY_URL   # ... older names, and a URL with the token
    | SYSTEM_ACCESSTOKEN | (?: SYSTEM_ )? OIDCREQUEST .*    # Azure Pipelines
    | DOCKER_AUTH_CONFIG                            # the logins of container registries
    | OTEL_EXPORTER_ .*                             # a collector of traces, and the headers with its key
    | PUSH_TOKEN                                    # ... the push token of our recipe
    | BITBUCKET_ .* TOKEN                           # Bitbucket: OIDC and repository tokens
    | CIRCLE_ (?: .* _ )? (?: TOKEN | TOKEN_V2 )    # CircleCI
    | BUILDKITE_ .* TOKEN                           # Buildkite: the agent
    | (?: DRONE | CI ) _NETRC_ .*                   # Drone and Woodpecker: credentials for clones
    """,
    re.VERBOSE,
)


def variable_refusal(name: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return why a reference may not read this variable and a hint, or None if it may."""
    if _PROTECTED.fullmatch(name.upper()):
        return (
            f"references never read {name}, which belongs to reconciler or to the CI",
            "give the endpoint a credential of its own, in a variable with another name",
        )
    allowed = environ.get(ALLOW_ENV)
    if allowed is None or any(fnmatchcase(name, glob) for glob in re.split(r"[,\s]+", allowed) if glob):
        return None
    return (
        f"{ALLOW_ENV} does not list {name}",
        f"to allow it, add {name} to {ALLOW_ENV} where reconciler runs (in the GitHub action: `allow-env`)",
    )


def private_part(path: PurePath) -> str | None:
    """Return the part of a path, relative to the root, that references must not use, or None."""
    return next((part for part in path.parts if _is_private(part.lower())), None)


def _is_private(part: str) -> bool:
    return part in (".git", ".git-credentials", ".netrc") or part.startswith(".env")
