"""A request as a value: its body, masked body and fingerprint."""

import json
from types import MappingProxyType

import pytest

from reconciler.model.request import Request
from reconciler.model.secrets import MASK, digest, seal
from reconciler.model.values import Reference, Value
from tests.builders import KEYRING, OTHER_KEYRING, secret

REQUEST = Request(method="POST", path="/x", body={"b": secret("hf_123"), "a": "ü"})


def test_only_the_sent_body_has_secrets() -> None:
    """Keys stay in the given order, and text stays readable."""
    assert REQUEST.body_bytes().decode() == '{\n  "b": "hf_123",\n  "a": "ü"\n}'
    assert REQUEST.masked_body() == {"b": MASK, "a": "ü"}
    assert "hf_123" not in json.dumps(REQUEST.masked_body()) + repr(REQUEST)


def test_a_request_without_a_body_sends_nothing() -> None:
    """A missing body is not `null`."""
    assert Request(method="GET", path="/x").body_bytes() == b""


def test_the_fingerprint_covers_the_sealed_body() -> None:
    """It is the digest of the body with sealed secrets, so it depends on the key."""
    sealed = KEYRING.seal("hf_123")
    facts = {"a": "ü", "b": {"hmac-sha256": sealed.mac, "key": sealed.key_id}}
    assert REQUEST.fingerprint(KEYRING) == digest(facts)
    assert REQUEST.fingerprint(OTHER_KEYRING) != digest(facts)


@pytest.mark.parametrize(
    "value", [seal(secret("s"), KEYRING), Reference("registry", "r")], ids=["seal", "reference"]
)
def test_what_is_not_known_cannot_be_sent(value: Value) -> None:
    """The value behind a fingerprint, and the ID of what is still to be created."""
    with pytest.raises(TypeError, match="is not JSON"):
        Request(method="POST", path="/x", body={"a": value}).body_bytes()


def test_a_body_may_have_any_mapping() -> None:
    body = MappingProxyType({"a": 1})
    assert json.loads(Request(method="POST", path="/x", body=body).body_bytes()) == body
