"""A credential as Novita answers about it, and as it is declared."""

from typing import Any

from reconciler.kinds.registry_credential.kind import REGISTRY
from reconciler.model.resource import Desired, Tracked, no_place
from reconciler.model.secrets import Secret
from reconciler.model.values import Fields

ANSWER = {"id": "auth-1", "name": "ghcr", "username": "robot", "password": "s3cret-of-ghcr"}
PASSWORD = Secret(value="s3cret-of-ghcr", source="${env:GHCR_TOKEN}")
ITEM = {"name": "ghcr", "registry": "ghcr.io", "username": "robot", "password": PASSWORD}
FIELDS: Fields = {"name": "ghcr", "username": "robot", "password": PASSWORD}
LIVE = REGISTRY.parse_one(ANSWER)
RECORD = Tracked(name="ghcr", id="auth-1", applied=FIELDS, kind=REGISTRY.type)


def desired(**item: Any) -> Desired:
    """Return the credential of the item with these changes."""
    found, problems = REGISTRY.from_yaml({**ITEM, **item}, None, no_place)
    assert found is not None, problems
    return found
