"""Secrets in values: shown masked, sent revealed, stored sealed; and the canonical form that digests cover.

A *value* is JSON in which any string may be a `Secret` (known now, never shown) or a `Sealed` (the
fingerprint of a secret that was applied earlier).

hashlib and hmac are imported where they are used: they load OpenSSL, which takes longer than to import the
rest of the package that a listing needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, Final

from reconciler.model.encoding import json_bytes
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.values import LARGEST_NUMBER, SCALAR_TYPES, Json, Path, Reference, Value, is_plain_data

MASK = "(sensitive value)"

_SEALED: Final = re.compile(r"[0-9a-f]{64}:[0-9a-f]{12}")
_HEX_KEY: Final = re.compile(r"[0-9a-f]{32,}|[0-9A-F]{32,}")


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A string that comes, completely or in part, from a reference.

    `value` is sent to Novita and appears nowhere else. `masked` is the text for people, with
    `(sensitive value)` for each referenced part. `source` is the text in the YAML, such as
    `Bearer ${env:TOKEN}`. `parts` are the referenced parts if they are not the whole string.
    """

    value: str
    source: str = field(compare=False)
    masked: str = field(default=MASK, compare=False)
    parts: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if not self.value:
            object.__setattr__(self, "masked", "")  # users must see that it is empty

    @property
    def is_referenced(self) -> bool:
        """Return True if `source` contains a reference; a value read from the account has none."""
        return "${" in self.source

    def __repr__(self) -> str:
        return f"Secret({self.source!r})"

    def __str__(self) -> str:
        return self.masked

    def __format__(self, spec: str) -> str:
        return format(self.masked, spec)


@dataclass(frozen=True, slots=True)
class Sealed:
    """The keyed fingerprint (HMAC-SHA256) of a secret, and the ID of the key."""

    mac: str
    key_id: str


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """The key for fingerprints of secrets: `RECONCILER_STATE_KEY`, or else the API key.

    A plain hash of a short secret can be guessed from a leaked file; a keyed one cannot be without the key.
    `legacy_key` verifies seals of earlier versions. It makes no new seals.
    """

    key: bytes
    legacy_key: bytes
    id: str
    legacy_id: str

    @classmethod
    def from_key(cls, text: str, *, is_weak: bool = False) -> Keyring:
        """Return the keyring of a key. A weak key is stretched, which takes about 100 ms once a process."""
        import hashlib
        import hmac

        legacy_key = hashlib.sha256(b"novita-reconciler/state-key\0" + text.encode()).digest()
        key = hmac.digest(_stretch(text) if is_weak else legacy_key, b"seal/2", "sha256")
        return cls(key=key, legacy_key=legacy_key, id=_key_id(key), legacy_id=_key_id(legacy_key))

    def seal(self, text: str, path: Path = ()) -> Sealed:
        """Return the seal of a secret. Equal secrets at different paths have different seals."""
        return _sealed(self.key, self.id, path, text)

    def can_verify(self, sealed: Sealed) -> bool:
        """Return True if the seal was made with this key, so that values can be compared with it."""
        return sealed.key_id in (self.id, self.legacy_id)

    def matches(self, sealed: Sealed, text: str, path: Path = ()) -> bool:
        """Return True if the seal is that of this text at this path; False for a seal of another key."""
        if sealed.key_id == self.legacy_id:
            import hmac

            return hmac.compare_digest(sealed.mac, _mac(self.legacy_key, text))
        return sealed == self.seal(text, path)

    def __repr__(self) -> str:
        return f"Keyring({self.id})"


def _key_id(key: bytes) -> str:
    """Return twelve hex digits that identify a key without revealing it."""
    return _mac(key, "key-id")[:12]


@lru_cache(maxsize=4096)
def _sealed(key: bytes, key_id: str, path: Path, text: str) -> Sealed:
    """Return a seal. Endpoints share most values, and each is sealed for the record and the plan."""
    return Sealed(mac=_mac(key, _path_prefix(path) + text), key_id=key_id)


def _mac(key: bytes, text: str) -> str:
    import hmac

    return hmac.digest(key, text.encode(), "sha256").hex()


def _path_prefix(path: Path) -> str:
    """Return the path as an unambiguous prefix: each segment follows its length."""
    return "".join(f"{len(segment)}:{segment}/" for segment in path) + "="


@cache
def _stretch(text: str) -> bytes:
    """Derive a key at a cost of 32 MiB and 100 ms. The salt is fixed, see docs/decisions/0023."""
    import hashlib

    return hashlib.scrypt(
        text.encode(), salt=b"novita-reconciler/seal/2", n=2**15, r=8, p=1, maxmem=2**26, dklen=32
    )


def is_single(value: Value) -> bool:
    """Return True for a single value: a scalar (numbers of at most 64 bits) or a fingerprint."""
    if value.__class__ is int:
        return -LARGEST_NUMBER <= value <= LARGEST_NUMBER
    return value.__class__ in SCALAR_TYPES or value.__class__ is Sealed


def iter_seals(value: Value) -> Iterator[Sealed]:
    """Yield every `Sealed` in the value, including those in lists and maps."""
    if value.__class__ is Sealed:
        yield value
    elif not is_plain_data(value) and isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from iter_seals(item)


def map_secrets(value: Value, change: Callable[[Secret], Any]) -> Value:
    """Return the value with `change(secret)` for every `Secret`; the value itself if it is plain data."""
    if is_plain_data(value):
        return value
    match value:
        case dict() | Mapping():
            return {
                key: item if item.__class__ in SCALAR_TYPES else map_secrets(item, change)
                for key, item in value.items()
            }
        case list() | tuple():
            return [map_secrets(item, change) for item in value]
        case Secret():
            return change(value)
        case _:
            return value


def reveal(value: Value) -> Json:
    """Return the value as it is sent, with the secrets in clear text."""
    return map_secrets(value, lambda secret: secret.value)


def mask(value: Value) -> Json:
    """Return the value as people may see it; a `Sealed` becomes the mask."""
    if is_plain_data(value):
        return value
    if isinstance(value, Secret):
        return value.masked
    if isinstance(value, Sealed):
        return MASK
    if isinstance(value, dict | Mapping):
        return {key: item if item.__class__ in SCALAR_TYPES else mask(item) for key, item in value.items()}
    return [mask(item) for item in value]


def seal(value: Value, keyring: Keyring, path: Path = ()) -> Value:
    """Return the value as it may be stored, with each secret sealed; the value itself if it is plain data."""
    if value.__class__ is Secret:
        return keyring.seal(value.value, path)
    if is_plain_data(value):
        return value
    match value:
        case dict() | Mapping():
            return {
                key: item if item.__class__ in SCALAR_TYPES else seal(item, keyring, (*path, key))
                for key, item in value.items()
            }
        case list() | tuple():
            return [seal(item, keyring, (*path, str(number))) for number, item in enumerate(value)]
        case _:
            return value


def canonical(value: Value) -> bytes:
    """Return the canonical JSON of a value: sorted keys, no spaces, UTF-8.

    Raise TypeError if the value contains a `Secret`: it must be sealed, masked or revealed first.
    """
    return json_bytes(value, seal_to_json, sort_keys=True)


def digest(value: Value, keyring: Keyring | None = None) -> str:
    """Return the SHA-256 of the canonical form (64 hex digits); with a keyring, secrets are sealed first."""
    import hashlib

    def sealed_as_json(item: object) -> Json:
        if isinstance(item, Reference):
            return {"reference": item.address}
        return seal_to_json(keyring.seal(item.value) if keyring and isinstance(item, Secret) else item)

    return hashlib.sha256(json_bytes(value, sealed_as_json, sort_keys=True)).hexdigest()


def seal_to_json(value: object) -> Json:
    """Return the JSON of a seal, for an encoder. Raise TypeError for a `Secret`: it must not become JSON."""
    if isinstance(value, Sealed):
        return {"hmac-sha256": value.mac, "key": value.key_id}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


def to_json(value: Value) -> Json:
    """Return the value as `canonical` writes it. Raise TypeError for a `Secret`."""
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    return value if value.__class__ in SCALAR_TYPES else seal_to_json(value)


def parse_seal(value: dict[str, Any]) -> Sealed | dict[str, Any]:
    """Return the `Sealed` that `canonical` wrote as this object, or the object if it is not one."""
    match value:
        case {"hmac-sha256": str(mac), "key": str(key_id)} if len(value) == 2 and _SEALED.fullmatch(
            f"{mac}:{key_id}"
        ):
            return Sealed(mac=mac, key_id=key_id)
        case _:
            return value


def is_random_key(key: str) -> bool:
    """Return True if a key looks machine-made, with at least 128 random bits.

    It has at least 32 hex digits, or at least 32 characters of mixed kinds in mixed order. The test errs
    towards False: words, repetitions and short keys do not pass, nor do some random keys. A wrong False costs
    only the time to stretch the key.
    """
    if _HEX_KEY.fullmatch(key):
        return len(set(key.lower())) >= 8
    # Hyphens are left out, so that hyphenated words still look like words.
    kinds = [_character_kind(character) for character in key if character.isalnum()]
    switches = sum(left != right for left, right in pairwise(kinds))
    return len(key) >= 32 and len(set(key)) >= 16 and switches >= 0.4 * len(kinds)


def _character_kind(character: str) -> str:
    """Return "0" for a digit, "a" or "A" for a letter. In words, neighbours are mostly of the same kind."""
    return "0" if character.isdigit() else "a" if character.islower() else "A"
