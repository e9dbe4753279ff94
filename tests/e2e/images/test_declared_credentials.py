"""A private image is asked for with the credential that its endpoint names."""

import pytest

from tests.e2e.sandbox import Sandbox, item
from tests.fake_registry import PASSWORD, USER, Registry


def declare(sandbox: Sandbox, registry: Registry, host: str) -> None:
    """Declare a private image of a test registry, and the credential for it."""
    sandbox.monkeypatch.setenv("REGISTRY_PASSWORD", PASSWORD)
    sandbox.monkeypatch.setenv("HOME", str(sandbox.root / "nobody"))
    registry.private.add("acme/chat")
    credential = {"name": "own", "username": USER, "password": "${env:REGISTRY_PASSWORD}"}
    if host:
        credential["registry"] = host
    sandbox.declare(
        item("chat", image=registry.image("acme/chat:1"), imageAuth="own"), registries=[credential]
    )


def test_the_declared_credential_is_used(sandbox: Sandbox, registry: Registry) -> None:
    """It needs its `registry`; the password is in no output."""
    digest = registry.push("acme/chat:1")
    declare(sandbox, registry, registry.host)
    ran = sandbox.run("pin")
    assert ran.code == 0
    assert digest in (sandbox.root / "endpoints.yaml").read_text()
    assert PASSWORD not in ran.out + ran.err


@pytest.mark.parametrize("host", ["", "ghcr.io"])
def test_a_password_goes_to_no_other_registry(sandbox: Sandbox, registry: Registry, host: str) -> None:
    """An edited image must not be a way to read it."""
    registry.push("acme/chat:1")
    declare(sandbox, registry, host)
    ran = sandbox.run("pin", "--check", "--update")
    assert "is not known" in ran.err or "pulls its image from" in ran.err
    assert not any("Basic" in authorization for _, _, authorization in registry.requests)


def test_an_unset_password_is_not_used(sandbox: Sandbox, registry: Registry) -> None:
    """`pin` needs no secrets of endpoints; without the password it asks as anybody does."""
    registry.push("acme/chat:1")
    declare(sandbox, registry, registry.host)
    sandbox.monkeypatch.delenv("REGISTRY_PASSWORD")
    ran = sandbox.run("pin", "--check", "--update")
    assert "demands" in ran.err
    assert not any("Basic" in authorization for _, _, authorization in registry.requests)
