"""JSON-like values that may hold secrets, and the canonical form that digests are made of.

A *value* is what JSON can hold, and in the place of any string possibly a `Secret` (known now, never shown)
or a `Sealed` (the fingerprint of one applied earlier). Nothing here reads a clock, a file or a socket.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, TypeAlias

from reconciler.model.encoding import compact

Json: TypeAlias = Any
"""What `json.loads` can return: None, bool, int, float, str, list, dict."""

Value: TypeAlias = Any
"""Json in which a `Secret` or a `Sealed` may stand for a string."""

Fields: TypeAlias = Mapping[str, Any]
"""An endpoint in normal form: the create payload with `envs` and `volumeMounts` keyed, numbers as ints."""

Path: TypeAlias = tuple[str, ...]
"""Wire segments: ("workerConfig", "maxNum"), ("envs", "HF_TOKEN")."""

MASK = "(sensitive value)"

SCALAR_TYPES: Final = frozenset({str, int, bool, float, type(None)})
"""The types of single, open values. Most values are such; to ask for them first saves a call for each."""

LARGEST_NUMBER: Final = 2**63 - 1
"""No number of Novita's is larger."""

_SEALED = re.compile(r"[0-9a-f]{64}:[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A string that came, wholly or in part, from a reference.

    `value` is sent to Novita and appears nowhere else; `masked` is what people see, with each referenced part
    replaced by `(sensitive value)`; `source` is the text in the YAML, such as `Bearer ${env:TOKEN}`; `parts`
    are the referenced parts, where they are not the whole.
    """

    value: str
    source: str = field(compare=False)
    masked: str = field(default=MASK, compare=False)
    parts: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if not self.value:
            object.__setattr__(self, "masked", "")  # that it is empty must be seen, and tells nothing

    @property
    def is_referenced(self) -> bool:
        """Whether it can be had again by its source; one that was read from the account cannot."""
        return "${" in self.source

    def __repr__(self) -> str:
        return f"Secret({self.source!r})"

    def __str__(self) -> str:
        return self.masked

    def __format__(self, spec: str) -> str:
        return format(self.masked, spec)


@dataclass(frozen=True, slots=True)
class Sealed:
    """The keyed fingerprint (HMAC-SHA256) of a secret, and the ID of the key that made it."""

    mac: str
    key_id: str


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """The key under which secrets are fingerprinted: `RECONCILER_STATE_KEY`, else the API key.

    A bare hash of a short secret can be guessed from a leaked file; a keyed one cannot without the key.
    `former` is the key of the seals that earlier versions wrote. They are still verified, never made.
    """

    key: bytes
    former: bytes
    id: str
    former_id: str

    @classmethod
    def of(cls, text: str, *, stretched: bool = False) -> Keyring:
        """The keyring of a key. A weak key must be `stretched`, which takes some 100 ms once a process."""
        former = hashlib.sha256(b"novita-reconciler/state-key\0" + text.encode()).digest()
        key = hmac.digest(_stretched(text) if stretched else former, b"seal/2", "sha256")
        return cls(key=key, former=former, id=_key_id(key), former_id=_key_id(former))

    def seal(self, text: str, path: Path = ()) -> Sealed:
        """The seal of a secret at its path, so that equal secrets of two fields have different seals."""
        return Sealed(mac=_mac(self.key, _bound(path) + text), key_id=self.id)

    def knows(self, sealed: Sealed) -> bool:
        """Whether the seal was made under this key, so that a value can be compared with it."""
        return sealed.key_id in (self.id, self.former_id)

    def matches(self, sealed: Sealed, text: str, path: Path = ()) -> bool:
        """Whether the seal is that of this text at this path; False under another key."""
        if sealed.key_id == self.former_id:
            return hmac.compare_digest(sealed.mac, _mac(self.former, text))
        return sealed == self.seal(text, path)

    def __repr__(self) -> str:
        return f"Keyring({self.id})"


def _key_id(key: bytes) -> str:
    """Twelve hex digits that tell two keys apart and give neither away."""
    return _mac(key, "key-id")[:12]


def _mac(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()


def _bound(path: Path) -> str:
    """The path as a prefix; with the lengths no two paths, and no path and text, can be confused."""
    return "".join(f"{len(segment)}:{segment}/" for segment in path) + "="


@cache
def _stretched(text: str) -> bytes:
    """32 MiB and some 100 ms for each guess. The salt is fixed, see docs/decisions/0023."""
    return hashlib.scrypt(
        text.encode(), salt=b"novita-reconciler/seal/2", n=2**15, r=8, p=1, maxmem=2**26, dklen=32
    )


def is_plain_data(value: Value) -> bool:
    """Whether it is plain data with nothing to hide; most values need no second look, and no copy."""
    if value.__class__ is dict:
        value = value.values()
    elif value.__class__ is not list:
        return value.__class__ in SCALAR_TYPES
    for item in value:  # noqa: SIM110 - `all` would take half as long again
        if item.__class__ not in SCALAR_TYPES and not is_plain_data(item):
            return False
    return True


def is_single(value: Value) -> bool:
    """Return True for one value: a word, a number of at most 64 bits, or a fingerprint."""
    if value.__class__ is int:
        return -LARGEST_NUMBER <= value <= LARGEST_NUMBER
    return value.__class__ in SCALAR_TYPES or value.__class__ is Sealed


def iter_seals(value: Value) -> Iterator[Sealed]:
    """Every `Sealed` in the value, in lists and maps as well."""
    if value.__class__ is Sealed:
        yield value
    elif not is_plain_data(value) and isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from iter_seals(item)


def map_secrets(value: Value, change: Callable[[Secret], Any]) -> Value:
    """The same value with every `Secret` in it replaced by `change(secret)`; no copy where there is none."""
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
    """The value as it is sent."""
    return map_secrets(value, lambda secret: secret.value)


def mask(value: Value) -> Json:
    """The value as people may see it; of an applied secret the mask."""
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
    """The value as it may be kept on disk, each secret sealed at its path; no copy where there is none."""
    if is_plain_data(value):
        return value
    match value:
        case dict() | Mapping():
            return {
                key: item
                if item.__class__ in SCALAR_TYPES or is_plain_data(item)
                else seal(item, keyring, (*path, key))
                for key, item in value.items()
            }
        case list() | tuple():
            return [seal(item, keyring, (*path, str(number))) for number, item in enumerate(value)]
        case Secret():
            return keyring.seal(value.value, path)
        case _:
            return value


def canonical(value: Value) -> bytes:
    """One byte string for all values of one meaning: sorted keys, no spaces, UTF-8.

    Raises TypeError when a `Secret` is left in the value: it must be sealed, masked or revealed first.
    """
    return compact(value, _sealed_as_json, sort_keys=True)


def digest(value: Value, keyring: Keyring | None = None) -> str:
    """SHA-256 of the canonical form, as 64 hex digits; with a keyring, each secret counts by its seal."""
    default = _sealed_as_json if keyring is None else _sealing(keyring)
    return hashlib.sha256(compact(value, default, sort_keys=True)).hexdigest()


def _sealed_as_json(value: object) -> Json:
    if isinstance(value, Sealed):
        return {"hmac-sha256": value.mac, "key": value.key_id}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _sealing(keyring: Keyring) -> Callable[[object], Json]:
    """For the canonical form of a value that holds secrets."""

    def sealed(value: object) -> Json:
        return _sealed_as_json(keyring.seal(value.value) if isinstance(value, Secret) else value)

    return sealed


def to_json(value: Value) -> Json:
    """The value as `canonical` would write it. Raises TypeError for a `Secret`, as that does."""
    if is_plain_data(value):
        return value
    if isinstance(value, dict | Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return _sealed_as_json(value)


def escaped(value: Value) -> Value:
    """Return the value as YAML spells it: `${` would begin a reference."""
    match value:
        case str():
            return value.replace("${", "$${")
        case Mapping():
            return {key: escaped(item) for key, item in value.items()}
        case list():
            return [escaped(item) for item in value]
        case _:
            return value


def parse_seal(value: dict[str, Any]) -> Sealed | dict[str, Any]:
    """The reverse of how `canonical` writes a `Sealed`; an object that is none as it is."""
    match value:
        case {"hmac-sha256": str(mac), "key": str(key_id)} if len(value) == 2 and _SEALED.fullmatch(
            f"{mac}:{key_id}"
        ):
            return Sealed(mac=mac, key_id=key_id)
        case _:
            return value
