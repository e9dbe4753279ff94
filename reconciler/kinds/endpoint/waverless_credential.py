"""The `registryCredential` of a Waverless deploy request, which is a registry credential of its own here.

Waverless saves a credential for it and gives the endpoint its ID. In the YAML it declares one that is named
after the registry and the user, and the endpoint refers to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from reconciler.kinds.base import Locate
from reconciler.kinds.endpoint.fields import CREDENTIAL
from reconciler.model.problem import Problem

LONGEST_NAME: Final = 255
"""Characters of the name of a credential."""

_KEYS: Final = ("registry", "username", "password")


def credential_item(declared: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the item of `registries` that the field stands for; None if it is empty or cannot be one."""
    value = declared.get(CREDENTIAL)
    if not isinstance(value, Mapping) or not all(value.get(key) for key in _KEYS):
        return None
    registry, username = value["registry"], value["username"]
    if not isinstance(registry, str) or not isinstance(username, str) or "${" in registry + username:
        return None
    host = (registry.rpartition("://")[2]).partition("/")[0]
    name = f"{host}/{username}"[:LONGEST_NAME]
    return {**value, "name": name, "registry": host}


def credential_problems(declared: Mapping[str, Any], locate: Locate) -> Iterator[Problem]:
    """Yield an error for a credential that cannot be declared. Its line is not quoted."""
    # the seed's own clients send it with empty values when it is unset
    if declared.get(CREDENTIAL) in (None, "", {}, []) or credential_item(declared) is not None:
        return
    place = locate((CREDENTIAL,))
    yield Problem(
        code="bad-credential",
        summary="`registryCredential` must have `registry`, `username` and `password`, the first two as text"
        " without references",
        hint="declare the credential in `registries:`, and name it here: `imageAuth: NAME`",
        place=place and replace(place, text=""),
    )
