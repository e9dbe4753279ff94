"""Values with secrets: revealed, masked or sealed; canonical form, fingerprints and random keys."""

import hashlib
import hmac
import json
import secrets
import uuid
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.secrets import (
    MASK,
    Keyring,
    Sealed,
    Secret,
    canonical,
    digest,
    is_random_key,
    mask,
    parse_seal,
    reveal,
    seal,
    to_json,
)
from tests.builders import KEYRING, OTHER_KEYRING, secret

texts = st.text(st.characters(codec="utf-8"), max_size=12)
leaves = st.none() | st.booleans() | st.integers() | texts
plain = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
secret_texts = texts.map(lambda text: Secret(value=text, source="${env:X}"))
with_secrets = st.recursive(
    leaves | secret_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
)


def test_no_text_form_of_a_secret_contains_its_value() -> None:
    """Every text form of a secret is the mask or the source."""
    hidden = Secret(value="hf_123", source="Bearer ${env:T}", masked=f"Bearer {MASK}")
    assert [str(hidden), f"{hidden}", f"{hidden:>30}", repr(hidden)] == [
        f"Bearer {MASK}",
        f"Bearer {MASK}",
        f"      Bearer {MASK}",
        "Secret('Bearer ${env:T}')",
    ]


def test_secrets_are_equal_by_value() -> None:
    """The source does not matter."""
    assert secret("a", "${env:A}") == secret("a", "${file:a}")
    assert secret("a") != secret("b")


def test_a_value_is_revealed_masked_or_sealed_at_any_depth() -> None:
    """All three change only the secrets."""
    value = {"a": [secret("x"), 1], "b": {"c": (secret("y"),), "d": None}}
    assert reveal(value) == {"a": ["x", 1], "b": {"c": ["y"], "d": None}}
    assert mask(value) == {"a": [MASK, 1], "b": {"c": [MASK], "d": None}}
    assert seal(value, KEYRING) == {
        "a": [KEYRING.seal("x", ("a", "0")), 1],
        "b": {"c": [KEYRING.seal("y", ("b", "c", "0"))], "d": None},
    }


def test_an_unsealed_secret_has_no_canonical_form() -> None:
    """A digest or a file cannot contain a secret by mistake."""
    with pytest.raises(TypeError, match="Secret has no canonical form"):
        canonical({"a": secret()})


def test_the_canonical_form_is_compact_sorted_utf8() -> None:
    """Equal values have equal bytes."""
    assert canonical({"b": [1, None], "a": "ü"}) == '{"a":"ü","b":[1,null]}'.encode()
    assert digest({"b": 1, "a": 2}) == hashlib.sha256(b'{"a":2,"b":1}').hexdigest()


def test_a_fingerprint_depends_on_key_and_text() -> None:
    """Two keys give two fingerprints and two IDs; one key always gives the same."""
    assert KEYRING.seal("x") == Keyring.from_key("sk-test").seal("x")
    assert len({KEYRING.seal("x"), KEYRING.seal("y"), OTHER_KEYRING.seal("x")}) == 3
    assert KEYRING.seal("x").key_id == KEYRING.id != OTHER_KEYRING.id


def test_fingerprints_reveal_neither_key_nor_text() -> None:
    """A keyring is shown by its ID; the ID and a fingerprint are hex digits of fixed length."""
    sealed = KEYRING.seal("hf_123")
    assert repr(KEYRING) == f"Keyring({KEYRING.id})"
    assert (len(KEYRING.id), len(sealed.mac)) == (12, 64)
    int(KEYRING.id + sealed.mac, 16)


@given(with_secrets)
def test_sealed_values_survive_serialization(value: Any) -> None:
    """Reading a stored value gives the sealed value."""
    sealed = seal(value, KEYRING)
    assert json.loads(canonical(sealed), object_hook=parse_seal) == sealed


@given(st.lists(texts), texts, st.lists(texts), texts)
def test_a_seal_is_bound_to_its_path(path: list[str], text: str, other_path: list[str], other: str) -> None:
    """Equal secrets of two fields have different seals, and a path cannot be part of a text."""
    first, second = KEYRING.seal(text, tuple(path)), KEYRING.seal(other, tuple(other_path))
    assert (first == second) == ((path, text) == (other_path, other))
    assert KEYRING.matches(first, other, tuple(other_path)) == (first == second)


@given(with_secrets)
def test_the_digest_of_a_value_depends_on_its_secrets_and_the_key(value: Any) -> None:
    """A secret counts by its fingerprint, which differs from that of plain text."""
    has_secrets = mask(value) != value
    assert digest(MappingProxyType({"a": value}), KEYRING) == digest({"a": value}, KEYRING)
    assert (digest(value, KEYRING) == digest(reveal(value), KEYRING)) != has_secrets
    assert (digest(value, KEYRING) == digest(value, OTHER_KEYRING)) != has_secrets


def test_a_seal_of_an_earlier_version_is_verified() -> None:
    """Those seals do not depend on a path, and have a key without a domain."""
    key = hashlib.sha256(b"novita-reconciler/state-key\0sk-test").digest()
    key_id = hmac.digest(key, b"key-id", "sha256").hex()[:12]
    former = Sealed(mac=hmac.digest(key, b"x", "sha256").hex(), key_id=key_id)
    assert KEYRING.can_verify(former)
    assert KEYRING.matches(former, "x", ("envs", "A"))
    assert not KEYRING.matches(former, "y", ("envs", "A"))
    assert not OTHER_KEYRING.can_verify(former)
    assert not OTHER_KEYRING.matches(former, "x")


def test_a_weak_key_is_stretched() -> None:
    """It gives another key and ID than the unstretched text, and the same each time."""
    weak = Keyring.from_key("a", is_weak=True)
    assert weak == Keyring.from_key("a", is_weak=True)
    assert (weak.key, weak.id) != (Keyring.from_key("a").key, Keyring.from_key("a").id)
    assert weak.legacy_key == Keyring.from_key("a").legacy_key


@given(texts, texts)
def test_a_map_that_looks_like_a_fingerprint_stays_a_map(mac: str, key_id: str) -> None:
    """Env keys may be `hmac-sha256` and `key`; only values in the form of a fingerprint are seals."""
    value = {"hmac-sha256": mac, "key": key_id}
    assert parse_seal(value) == value
    assert parse_seal({**json.loads(canonical(KEYRING.seal(mac))), "more": ""}) != KEYRING.seal(mac)


@given(plain)
def test_plain_data_is_unchanged(value: Any) -> None:
    """Masking, revealing and sealing change only secrets."""
    assert [canonical(turn) for turn in (mask(value), reveal(value), seal(value, KEYRING))] == [
        canonical(value)
    ] * 3


@given(st.text("ghijkl", min_size=8))
def test_the_canonical_form_has_no_secrets(text: str) -> None:
    """The canonical form of a sealed value does not contain the secret."""
    assert text not in canonical(seal({"": [secret(text)]}, KEYRING)).decode()


def test_seals_in_lists_and_maps_become_json() -> None:
    """A secret does not: it must be sealed first."""
    seal = KEYRING.seal("s")
    shown = {"hmac-sha256": seal.mac, "key": seal.key_id}
    value = MappingProxyType({"a": [1, seal, (None, {"b": seal})], "c": "text"})
    assert to_json(value) == {"a": [1, shown, [None, {"b": shown}]], "c": "text"}
    with pytest.raises(TypeError):
        to_json([secret("s")])


def test_sealed_values_are_not_sealed_again() -> None:
    """Records contain seals of secrets whose values are unknown."""
    sealed = KEYRING.seal("x", ("a",))
    assert seal({"a": sealed, "b": [sealed]}, OTHER_KEYRING) == {"a": sealed, "b": [sealed]}


@pytest.mark.parametrize(
    "key",
    [
        "",
        "a",
        "1234",
        "2f1c9e0b",
        "a" * 64,
        "ab" * 32,
        "0123" * 16,
        "the-state-key-itself",
        "correct horse battery staple correct horse",
        "Correct-Horse-Battery-Staple-And-Then-2024",
        "prod-team-state-key-2026-do-not-share",
        "AcmeInferenceProductionKey2026!!",
        "ein-langes-Passwort-aus-mehreren-Wörtern",
        "q" * 20 + "1A-b2C",
    ],
)
def test_chosen_keys_are_not_random(key: str) -> None:
    """Short, repeated, or made of words."""
    assert not is_random_key(key)


def test_generated_keys_are_random() -> None:
    """Keys of openssl, uuid and secrets are nearly always recognised."""
    makers = (
        lambda: secrets.token_hex(32),
        lambda: secrets.token_hex(16),
        lambda: uuid.uuid4().hex,
        lambda: secrets.token_urlsafe(32),
        lambda: secrets.token_hex(32).upper(),
    )
    for make in makers:
        assert sum(is_random_key(make()) for _ in range(300)) >= 290
