"""A run over TLS shakes hands only as often as its calls need, and trusts only known certificates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox, item
from tests.tls_relay import TlsRelay, make_certificate, tls_relay


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def relay(sandbox: Sandbox, certificate: tuple[Path, Path]) -> Iterator[TlsRelay]:
    """TLS in front of the account, whose certificate is trusted."""
    with tls_relay(sandbox.sim.url, *certificate) as found:
        sandbox.monkeypatch.setenv("NOVITA_BASE_URL", found.url)
        sandbox.monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        yield found


def test_a_plan_shakes_hands_once_for_each_call_at_once(sandbox: Sandbox, relay: TlsRelay) -> None:
    """These are two pages, the limits, the products and the balance."""
    sandbox.declare(*(item(f"e{number}") for number in range(10)))
    ran = sandbox.process("plan")
    assert ran.code == 0, ran.err
    assert len(sandbox.sent("list")) == 2
    assert relay.connections == relay.handshakes <= 5


def test_an_apply_shakes_hands_once_for_each_call_at_once(sandbox: Sandbox, relay: TlsRelay) -> None:
    """The connections of the plan serve the writes, and no more are opened than there are calls at once."""
    sandbox.declare(*(item(f"e{number}") for number in range(10)))
    ran = sandbox.process("apply", "--auto-approve", "--parallelism", "10")
    assert ran.code == 0, ran.err
    assert len(sandbox.live()) == 10
    assert relay.connections == relay.handshakes <= 10


def test_a_certificate_that_is_not_trusted(sandbox: Sandbox, relay: TlsRelay) -> None:
    """Nothing was sent, it is not tried again, and the variable for certificates is named."""
    sandbox.monkeypatch.delenv("SSL_CERT_FILE")
    sandbox.declare(item("chat"))
    ran = sandbox.process("plan")
    assert ran.code == 1
    assert "certificate verify failed" in ran.err
    assert "_ssl.c" not in ran.err
    assert "Nothing was sent." in ran.err
    assert "SSL_CERT_FILE" in ran.err
    assert relay.handshakes == 0
    assert sandbox.sim.requests == []


def test_a_certificate_of_another_host(
    sandbox: Sandbox, relay: TlsRelay, certificate: tuple[Path, Path]
) -> None:
    """It is for 127.0.0.1, so it is refused for the name of this machine."""
    sandbox.monkeypatch.setenv("NOVITA_BASE_URL", relay.url.replace("127.0.0.1", "localhost"))
    sandbox.declare(item("chat"))
    ran = sandbox.process("plan")
    assert ran.code == 1
    assert "certificate is not valid for 'localhost'" in ran.err
    assert sandbox.sim.requests == []
