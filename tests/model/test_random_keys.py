"""Which keys look as if a machine had made them."""

import secrets
import uuid

import pytest

from reconciler.model.secrets import is_random_key


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
def test_what_a_person_thought_of_is_not(key: str) -> None:
    """Short, repeated, or made of words."""
    assert not is_random_key(key)


def test_what_the_usual_generators_print_is() -> None:
    """What openssl, uuid and secrets print is nearly always recognised."""
    makers = (
        lambda: secrets.token_hex(32),
        lambda: secrets.token_hex(16),
        lambda: uuid.uuid4().hex,
        lambda: secrets.token_urlsafe(32),
        lambda: secrets.token_hex(32).upper(),
    )
    for make in makers:
        assert sum(is_random_key(make()) for _ in range(300)) >= 290
