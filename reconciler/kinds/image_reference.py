"""References of container images, such as `ghcr.io/acme/chat:1.4.2@sha256:...`.

The grammar is that of the distribution project, which Docker and all registries share. A reference is split
at its separators and each part is matched once, so the time is linear.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from reconciler.model.lazy_dataclass import dataclass

DOCKER_HUB: Final = "docker.io"
"""The registry of a reference that names none."""

DEFAULT_TAG: Final = "latest"

LONGEST_PATH: Final = 255
"""Characters."""

_HEX_DIGITS: Final = {"sha256": 64, "sha384": 96, "sha512": 128}
"""The hexadecimal digits of a digest, by its algorithm."""

_PATH_COMPONENT: Final = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_HEX: Final = re.compile(r"[0-9a-f]+")
_IMAGE_ID: Final = re.compile(r"(?:sha256:)?[0-9a-f]{64}")

_TRANSPORTS: Final = frozenset({"docker", "docker-daemon", "docker-archive", "oci", "http", "https"})
"""Prefixes of tools such as skopeo, which are no part of a reference."""


class InvalidReference(ValueError):
    """A text that is no image reference: why, and the reference that was probably meant, or ""."""

    def __init__(self, reason: str, meant: str = "") -> None:
        super().__init__(reason)
        self.reason, self.meant = reason, meant


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """The parts of a reference as they are written; a part that is missing is ""."""

    domain: str
    path: str
    tag: str
    digest: str

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    @property
    def name(self) -> str:
        """The reference without tag and digest."""
        return f"{self.domain}/{self.path}" if self.domain else self.path

    @property
    def registry(self) -> str:
        """The registry, also if none is written."""
        return DOCKER_HUB if self.domain in ("", f"index.{DOCKER_HUB}") else self.domain

    @property
    def repository(self) -> str:
        """The path in its registry; Docker Hub keeps official images below `library`."""
        is_official = self.registry == DOCKER_HUB and "/" not in self.path
        return f"library/{self.path}" if is_official else self.path

    @property
    def has_no_version(self) -> bool:
        """True if it has no digest, and the tag `latest` or none: it means the newest image at each pull."""
        return not self.digest and self.tag in ("", DEFAULT_TAG)


def parse(text: str) -> ImageReference:
    """Return the parts of a reference. Raise InvalidReference."""
    try:
        return _parse(text)
    except InvalidReference as error:
        if not error.meant or is_reference(error.meant):
            raise
        raise InvalidReference(error.reason) from None


def is_reference(text: str) -> bool:
    """Return True if the text is an image reference."""
    try:
        _parse(text)
    except InvalidReference:
        return False
    return True


@lru_cache(maxsize=1024)  # endpoints share images, and plans look at each several times
def _parse(text: str) -> ImageReference:
    if _IMAGE_ID.fullmatch(text):
        raise InvalidReference("it is the ID or the digest of an image, without the name of its repository")
    _refuse_transport(text)
    rest, at, digest = text.partition("@")
    if at:
        _check_digest(rest, digest)
    head, slash, last = rest.rpartition("/")
    last, colon, tag = last.partition(":")
    name = head + slash + last
    if colon:
        _check_tag(name, tag)
    domain, path = _split_name(name)
    if domain:
        _check_domain(domain, text)
    _check_path(path, domain, text)
    return ImageReference(domain=domain, path=path, tag=tag, digest=digest)


def is_digest(text: str) -> bool:
    """Return True if the text is a digest, such as `sha256:` with 64 hexadecimal digits."""
    algorithm, _, digits = text.partition(":")
    return len(digits) == _HEX_DIGITS.get(algorithm) and _HEX.fullmatch(digits) is not None


def _refuse_transport(text: str) -> None:
    """Raise InvalidReference for a URL, and for a prefix of tools such as skopeo."""
    scheme, separator, rest = text.partition("://")
    if separator:
        for page in ("hub.docker.com/r/", "hub.docker.com/_/"):
            rest = rest.removeprefix(page)
        raise InvalidReference(f"it begins with `{scheme}://`, as a URL does", rest.rstrip("/"))
    transport, separator, rest = text.partition(":")
    if separator and transport in _TRANSPORTS and "/" in rest:
        raise InvalidReference(f"it begins with `{transport}:`, which names no registry", rest)


def _split_name(name: str) -> tuple[str, str]:
    """Return (domain or "", path): the first part is a domain if it has a dot or a colon."""
    first, slash, rest = name.partition("/")
    is_domain = "." in first or ":" in first or first == "localhost" or first.startswith("[")
    return (first, rest) if slash and is_domain else ("", name)


def _check_digest(name: str, digest: str) -> None:
    algorithm, colon, _ = digest.partition(":")
    if not digest:
        raise InvalidReference("nothing follows the `@`, where the digest belongs", name)
    if not colon:
        meant = "" if ":" in name.rpartition("/")[2] else f"{name}:{digest}"
        raise InvalidReference(f"`{digest}` after the `@` is not a digest such as `sha256:...`", meant)
    if algorithm not in _HEX_DIGITS:
        raise InvalidReference(f"a digest begins with `sha256:`, not with `{algorithm}:`")
    if not is_digest(digest):
        meant = f"{name}@{digest.lower()}" if digest != digest.lower() else ""
        raise InvalidReference(
            f"a digest is `{algorithm}:` and {_HEX_DIGITS[algorithm]} hexadecimal digits, 0 to 9 and a to f",
            meant,
        )


def _check_tag(name: str, tag: str) -> None:
    if not tag:
        raise InvalidReference("nothing follows the colon, where the tag belongs")
    if not _TAG.fullmatch(tag):
        raise InvalidReference(
            f"the tag `{tag}` is not made of at most 128 letters, digits, `_`, `.` and `-`,"
            " of which `.` and `-` cannot be the first",
            f"{name}:{_as_tag(tag)}",
        )


def _as_tag(text: str) -> str:
    """Return a tag like this text, such as a branch or a version with `+`."""
    return text.replace("/", "-").replace("+", "-").lstrip(".:-")


def _check_domain(domain: str, text: str) -> None:
    host, colon, port = (domain, "", "") if domain.endswith("]") else domain.rpartition(":")
    if not colon:
        host = domain
    if colon and not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) <= 65_535):
        rest = text[len(host) + 1 :]
        if "." in host or host == "localhost":
            meant = "" if port[:1].isdecimal() else f"{host}/{rest}".replace("//", "/")
            raise InvalidReference(f"`{port}` is not the port of a registry", meant)
        tag = rest.partition("@")[0]
        raise InvalidReference(f"a tag such as `{tag}` cannot contain `/`", f"{host}:{_as_tag(tag)}")
    if not _HOST.fullmatch(host) or ".." in host or ".-" in host or "-." in host:
        raise InvalidReference(f"`{host}` is not the host of a registry", text.lstrip("./"))


def _check_path(path: str, domain: str, text: str) -> None:
    if not path or text.startswith("/"):
        raise InvalidReference(
            "it has no name before the tag" if not path else "it begins with `/`", text.lstrip("/")
        )
    if path.endswith("/") or "//" in path:
        raise InvalidReference(
            "a part of its path is empty", re.sub("/+", "/", text).replace("/:", ":").rstrip("/")
        )
    if "\\" in path:
        raise InvalidReference("parts of its path are separated by `/`", text.replace("\\", "/"))
    if path != path.lower():
        meant = text[: len(domain)] + text[len(domain) :].replace(path, path.lower(), 1)
        raise InvalidReference("the name of a repository is in lower case", meant)
    if len(path) > LONGEST_PATH:
        raise InvalidReference(f"the name of a repository has at most {LONGEST_PATH} characters")
    for part in path.split("/"):
        if not _PATH_COMPONENT.fullmatch(part):
            raise InvalidReference(
                f"`{part}` must be lower-case letters and digits, with `.`, `_`, `__` or `-` between them"
            )


def registry_of(text: str) -> str:
    """Return the registry of an image; "" for a text that is no reference."""
    try:
        return parse(text).domain or DOCKER_HUB
    except InvalidReference:
        return ""
