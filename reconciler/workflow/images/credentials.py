"""The credentials with which registries are asked about the images of a configuration."""

from __future__ import annotations

from reconciler.config.loader import LoadedConfig
from reconciler.kinds.image_reference import is_reference, parse
from reconciler.model.resource import REGISTRY
from reconciler.model.secrets import reveal
from reconciler.model.values import Reference
from reconciler.registry.credentials import Credential, Credentials
from reconciler.workflow.runtime.context import Context


def credentials_of(context: Context, loaded: LoadedConfig) -> Credentials:
    """Return the credentials of the user, and before them those that endpoints name for their images.

    A declared credential is used only for an image in the registry that it declares, so that an edited image
    cannot send the password to another host.
    """
    registries = {one.name: one for one in loaded.of(REGISTRY)}
    declared: dict[str, Credential] = {}
    for endpoint in loaded.desired:
        fields = endpoint.fields.get("image", {})
        image, auth = fields.get("image"), fields.get("authId")
        one = registries.get(auth.name) if isinstance(auth, Reference) else None
        if one is None or one.unset or not (isinstance(image, str) and is_reference(image)):
            continue
        reference = parse(image)
        if one.registry == reference.registry:
            user, password = reveal(one.fields["username"]), reveal(one.fields["password"])
            declared[f"{reference.registry}/{reference.repository}"] = Credential(user, password)
    return Credentials(context.environ, declared)
