"""Credentials for registries, from the places where `docker login` and its relatives keep them.

The places are the environment and the user's home. Programs of `credsStore` and `credHelpers` are not run.
The caller may add credentials that the YAML declares, each for one repository of its own registry, or None
where the registry is not trusted with it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from reconciler.kinds.image_reference import DOCKER_HUB, ImageReference
from reconciler.model.lazy_dataclass import dataclass

MAX_SIZE: Final = 1 << 20
"""Bytes of a file of credentials."""


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """A user name and a password. Its text form shows neither."""

    user: str
    password: str

    @property
    def header(self) -> str:
        """The value of the header `Authorization`."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


class Credentials:
    """The credentials of a user. They are read at the first question.

    In this order: the variable DOCKER_AUTH_CONFIG (JSON), the file of REGISTRY_AUTH_FILE, and config.json in
    the folder of DOCKER_CONFIG, by default ~/.docker. Those that are `declared` precede all of them; they are
    known by registry and repository.
    """

    def __init__(
        self, environ: Mapping[str, str], declared: Mapping[str, Credential | None] | None = None
    ) -> None:
        self._environ = environ
        self._declared = declared or {}
        self._known: dict[str, Credential] | None = None

    def of(self, image: ImageReference) -> Credential | None:
        """Return the credential for an image: the one for its repository, or else for its registry."""
        if self._known is None:
            self._known = {place: one for place, one in self._declared.items() if one is not None}
            for text in self._texts():
                for place, credential in _read(text):
                    self._known.setdefault(place, credential)
        place = f"{image.registry}/{image.repository}"
        while place:
            if place in self._known:
                return self._known[place]
            place = place.rpartition("/")[0]
        return None

    def is_withheld(self, image: ImageReference) -> bool:
        """Return True if the YAML declares a credential that the registry of the image must not get."""
        return self._declared.get(f"{image.registry}/{image.repository}", ...) is None

    def _texts(self) -> Iterator[str]:
        yield self._environ.get("DOCKER_AUTH_CONFIG", "")
        if file := self._environ.get("REGISTRY_AUTH_FILE"):
            yield _text_of(Path(file))
        folder = self._environ.get("DOCKER_CONFIG")
        home = self._environ.get("HOME") or self._environ.get("USERPROFILE")
        if folder or home:
            yield _text_of((Path(folder) if folder else Path(home or "", ".docker")) / "config.json")


def _text_of(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(MAX_SIZE)
    except (OSError, ValueError):
        return ""


def _read(text: str) -> Iterator[tuple[str, Credential]]:
    """Yield (registry or repository, credential) of a document with `auths`. Skip what is odd."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    auths = document.get("auths") if isinstance(document, dict) else None
    for key, entry in auths.items() if isinstance(auths, dict) else ():
        if isinstance(entry, dict) and (credential := _credential(entry)) is not None:
            yield _place(key), credential


def _credential(entry: Mapping[str, Any]) -> Credential | None:
    user, password = entry.get("username"), entry.get("password")
    if isinstance(auth := entry.get("auth"), str) and auth:
        try:
            user, _, password = base64.b64decode(auth, validate=True).decode().rstrip("\0").partition(":")
        except ValueError:
            return None
    if not isinstance(user, str) or not isinstance(password, str) or not user or not password:
        return None
    return Credential(user, password)


def _place(key: str) -> str:
    """Return the registry or the repository of a key, which may be a URL with a version of the API."""
    place = key.rpartition("://")[2].rstrip("/")
    for version in ("/v1", "/v2"):
        place = place.removesuffix(version)
    host, slash, path = place.partition("/")
    is_hub = host in (f"index.{DOCKER_HUB}", f"registry-1.{DOCKER_HUB}")
    return (DOCKER_HUB if is_hub else host) + slash + path
