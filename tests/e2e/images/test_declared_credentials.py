"""A private image is asked for with the credential that its endpoint names."""

import pytest

from reconciler.config.settings import TRUSTED_HOSTS
from reconciler.kinds.image_reference import parse
from reconciler.workflow.images.credentials import credentials_of
from reconciler.workflow.runtime.config import load_config
from reconciler.workflow.runtime.context import Context
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


@pytest.mark.parametrize(
    ("host", "trusted", "is_sent"),
    [
        ("ghcr.io", "", True),
        ("team.azurecr.io", "", True),
        ("127.0.0.1:5000", "", True),
        ("registry.example.com", "", False),
        ("ghcr.io.example.com", "", False),
        ("azurecr.io", "", False),
        ("registry.example.com:5000", "other.example.com registry.example.com", True),
    ],
)
def test_only_a_trusted_registry_gets_a_declared_password(
    sandbox: Sandbox, host: str, trusted: str, is_sent: bool
) -> None:
    """A pull request can write any host as `registry`, beside a reference to a secret of the CI job."""
    sandbox.declare(
        item("chat", image=f"{host}/acme/chat:1", imageAuth="own"),
        registries=[{"name": "own", "registry": host, "username": USER, "password": "${env:WORD}"}],
    )
    context = Context(root=sandbox.root, environ={"WORD": PASSWORD, TRUSTED_HOSTS: trusted, "HOME": ""})
    credentials, image = credentials_of(context, load_config(context)), parse(f"{host}/acme/chat:1")
    found = credentials.of(image)
    assert (found.password if found else None) == (PASSWORD if is_sent else None)
    assert credentials.is_withheld(image) is not is_sent
