"""The mapping of a declared registry credential to normal form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from reconciler.kinds.base import Locate
from reconciler.kinds.image_reference import DOCKER_HUB, is_reference, parse
from reconciler.kinds.lifecycle import lifecycle_of
from reconciler.kinds.registry_credential.fields import LONGEST, PASSWORD, TABLE
from reconciler.model import resource
from reconciler.model.problem import Place, Problem
from reconciler.model.resource import Desired, address
from reconciler.model.secrets import Secret, reveal
from reconciler.model.values import Path


def desired_credential(
    declared: Mapping[str, Any], locate: Locate
) -> tuple[Desired | None, tuple[Problem, ...]]:
    """Return the desired credential and the problems of its item; None if any problem is an error.

    The password must come from a reference, so that no file of the repository holds it.
    """
    lifecycle, problems = lifecycle_of(declared, TABLE, locate, what="a registry credential")
    problems += _value_problems(declared, locate)
    name = declared["name"]
    if problems:
        return None, tuple(replace(one, address=address(name, resource.REGISTRY)) for one in problems)
    return (
        Desired(
            name=name,
            app_name="",
            fields={"name": name, "username": declared["username"], "password": declared["password"]},
            lifecycle=lifecycle,
            find_place=partial(_place_of, locate),
            registry=_registry(declared),
            kind=resource.REGISTRY,
        ),
        (),
    )


def other_registry(user: Desired, path: Path, used: Desired) -> Iterator[Problem]:
    """Yield an error if an endpoint pulls its image from another registry than that of its credential."""
    image = user.fields.get("image", {}).get("image")
    if not (used.registry and isinstance(image, str) and is_reference(image)):
        return
    if (registry := parse(image).registry) != used.registry:
        yield Problem(
            code="other-registry",
            summary=f"`{user.name}` pulls its image from {registry}, and `{used.name}` is the credential of"
            f" {used.registry}",
            hint=f"let `imageAuth` name a credential of {registry}, or correct the `registry` of"
            f" `{used.name}`",
            address=user.address,
            place=user.place_of(path),
        )


def _place_of(locate: Locate, path: Path) -> Place | None:
    """Return the place of a field, or of the name. The line of a password is not quoted."""
    place = locate(path) or locate(("name",))
    return _without_text(place) if path == PASSWORD else place


def _value_problems(declared: Mapping[str, Any], locate: Locate) -> Iterator[Problem]:
    for key, longest in LONGEST.items():
        value = reveal(declared[key])
        if isinstance(value, str) and not 0 < len(value) <= longest:
            yield Problem(
                code="bad-length",
                summary=f"the {key} has {len(value)} characters; Novita takes 1 to {longest}",
                hint="correct the value behind the reference",
                place=_without_text(locate((key,))),
            )
    password = declared["password"]
    is_unresolved = isinstance(password, str) and "${" in password  # the reference has a problem of its own
    if not (is_unresolved or (isinstance(password, Secret) and password.is_referenced)):
        yield Problem(
            code="plain-password",
            summary="the password is written in the file",
            detail="Everybody who can read the repository could read it.",
            hint="write `password: ${env:NAME}` and set that variable; if the file was ever committed, change"
            " the password at the registry too",
            place=_without_text(locate(("password",))),
        )


def _registry(declared: Mapping[str, Any]) -> str:
    """Return the host as image references spell it; "" if it is not declared."""
    host: str = declared.get("registry", "")
    is_hub = host in (f"index.{DOCKER_HUB}", f"registry-1.{DOCKER_HUB}")
    return DOCKER_HUB if is_hub else host


def _without_text(place: Place | None) -> Place | None:
    """Return the place without its line, which may hold the password."""
    return place and replace(place, text="")
