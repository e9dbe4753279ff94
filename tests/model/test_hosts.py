"""Host names: validity, loopback and patterns."""

import pytest

from reconciler.model.hosts import host_error, host_matches, is_ip_address, is_loopback


@pytest.mark.parametrize(
    "host",
    [
        "api.novita.ai",
        "API.Novita.AI.",
        "a_b",
        "localhost",
        "10.0.0.8",
        "::1",
        "xn--bcher-kva.example",
        "a" * 63,
    ],
)
def test_valid_hosts(host: str) -> None:
    """Names of DNS and of containers, and addresses."""
    assert host_error(host) == ""


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("", "missing"),
        ("api..novita.ai", "empty part"),
        (".novita.ai", "empty part"),
        ("novita.ai..", "empty part"),
        ("a" * 64, "too long"),
        (".".join(["a" * 50] * 5), "too long"),
        ("b\u00fccher.example", "outside ASCII"),
        ("a b", "character"),
        ("a%2eb", "character"),
        ("a\\b", "character"),
        ("10.0.0", "IP address"),
        ("2130706433", "IP address"),
        ("999.1.1.1", "IP address"),
        ("0x7f000001", "IP address"),
    ],
)
def test_invalid_hosts(host: str, words: str) -> None:
    """Names that resolvers cannot look up, or would look up differently."""
    assert words in host_error(host)


def test_loopback() -> None:
    """Loopback addresses and localhost, and not similar names."""
    assert all(map(is_loopback, ("127.0.0.1", "127.8.9.1", "::1", "localhost", "LOCALHOST.")))
    assert not any(map(is_loopback, ("0.0.0.0", "localhost.example", "127.0.0.1.example", "2130706433")))


def test_patterns() -> None:
    """A host matches itself in any spelling, and `*.` with a parent domain."""
    assert host_matches("API.gw.example.", ["*.GW.example"])
    assert host_matches("2001:db8::1", ["[2001:DB8::1]"])
    assert not host_matches("gw.example", ["*.gw.example"])
    assert not host_matches("evilgw.example", ["*.gw.example", "gw.example", "*", "*.", ""])


@pytest.mark.parametrize(
    ("host", "is_address"),
    [
        ("10.2.3.4", True),
        ("[fd00::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.2.3.4.example.com", False),
    ],
)
def test_addresses(host: str, is_address: bool) -> None:
    assert is_ip_address(host) is is_address
