"""The credentials with which registries are asked about the images of a configuration."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from reconciler.config.loader import LoadedConfig
from reconciler.config.settings import TRUSTED_HOSTS
from reconciler.kinds.image_reference import is_reference, parse
from reconciler.model.hosts import host_matches, is_loopback
from reconciler.model.resource import REGISTRY
from reconciler.model.secrets import reveal
from reconciler.model.values import Reference
from reconciler.registry.credentials import Credential, Credentials
from reconciler.workflow.runtime.context import Context

PUBLIC_REGISTRIES: Final = (
    "docker.io",
    "ghcr.io",
    "quay.io",
    "registry.gitlab.com",
    "nvcr.io",
    "gcr.io",
    "*.gcr.io",
    "*.pkg.dev",
    "*.azurecr.io",
)
"""Registries whose hosts belong to their vendor alone, so that no customer sees a password sent there."""


def credentials_of(context: Context, loaded: LoadedConfig) -> Credentials:
    """Return the credentials of the user, and before them those that endpoints name for their images.

    A declared credential is used only for an image in the registry that it declares, and only if that is
    public, on this machine, or in RECONCILER_TRUSTED_HOSTS: a pull request can write any host into both.
    """
    trusted = (*PUBLIC_REGISTRIES, *re.split(r"[\s,]+", context.environ.get(TRUSTED_HOSTS, "")))
    registries = {one.name: one for one in loaded.of(REGISTRY)}
    declared: dict[str, Credential | None] = {}
    for endpoint in loaded.desired:
        fields = endpoint.fields.get("image", {})
        image, auth = fields.get("image"), fields.get("authId")
        one = registries.get(auth.name) if isinstance(auth, Reference) else None
        if one is None or one.unset or not (isinstance(image, str) and is_reference(image)):
            continue
        reference = parse(image)
        if one.registry == reference.registry:
            host = urlsplit(f"//{reference.registry}").hostname or ""
            user, password = reveal(one.fields["username"]), reveal(one.fields["password"])
            declared[f"{reference.registry}/{reference.repository}"] = (
                Credential(user, password) if is_loopback(host) or host_matches(host, trusted) else None
            )
    return Credentials(context.environ, declared)
