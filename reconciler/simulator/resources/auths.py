"""The registry credentials of an account."""

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.simulator.api import Refusal
from reconciler.simulator.profile import Profile
from reconciler.simulator.resources.listed import Listed
from reconciler.simulator.validation import text_of

MISSING = "RESOURCE_NOT_FOUND"


class Auths(Listed):
    """Registry credentials. Their names need not be unique (docs registry-auth)."""

    def save(self, body: Mapping[str, Any], auth_id: str, now: float, profile: Profile) -> dict[str, Any]:
        """Add a credential. The answer is empty in the docs, and names the ID in other sources."""
        auth = {
            "id": auth_id,
            "name": text_of(body, "name", max_length=255),
            "username": text_of(body, "username", max_length=511),
            "password": text_of(body, "password", max_length=1024),
        }
        self.add(auth, now)
        return {"id": auth_id} if profile.auth_save_answer == "id" else {}

    def delete(self, body: Mapping[str, Any], in_use: Callable[[str], bool]) -> dict[str, Any]:
        auth_id = self.find(text_of(body, "id", max_length=255), MISSING, "repository auth")["id"]
        if in_use(auth_id):
            raise Refusal("IMAGE_AUTH_IN_USE", f"repository auth {auth_id!r} is used by an endpoint")
        self.remove(auth_id)
        return {}

    def check(self, auth_id: str) -> None:
        """Raise Refusal for an ID that is neither empty nor that of a credential."""
        if auth_id:
            self.find(auth_id, MISSING, "repository auth")
