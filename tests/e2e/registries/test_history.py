"""The history has the versions of credentials and storages, too, by their addresses."""

from tests.e2e.sandbox import Sandbox, item
from tests.e2e.storages.support import storage

from .credentials import PASSWORD, credential

HUB, WEIGHTS = "novita_registry.hub", "novita_storage.weights"


def test_versions_of_every_kind(sandbox: Sandbox) -> None:
    sandbox.monkeypatch.setenv("HUB_PASSWORD", PASSWORD)
    sandbox.declare(item("chat"), registries=[credential()], storages=[storage("weights", sizeGb=100)])
    sandbox.apply()
    sandbox.monkeypatch.setenv("HUB_PASSWORD", "another-password")
    sandbox.declare(
        item("chat"), registries=[credential(username="bob")], storages=[storage("weights", sizeGb=200)]
    )
    sandbox.apply("-m", "Rotated")
    versions = sandbox.run("history", "--json").document
    assert {(one["name"], one["version"], one["action"]) for one in versions} == {
        ("chat", 1, "create"),
        (HUB, 1, "create"),
        (HUB, 2, "replace"),
        (WEIGHTS, 1, "create"),
        (WEIGHTS, 2, "update"),
    }
    shown = sandbox.run("history").out
    assert "sizeGb: 100 -> 200" in shown
    assert "username: ada -> bob" in shown
    assert "username: ada  password: ${env:HUB_PASSWORD}" in shown
    assert shown.count("Rotated") == 2
    log = (sandbox.root / "state/novita.json.history.jsonl").read_text()
    assert not any(password in log + shown for password in (PASSWORD, "another-password"))
    (first, *_) = sandbox.run("history", HUB, "--json").document
    assert (first["name"], first["version"]) == (HUB, 2)


def test_only_endpoints_are_rolled_back(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat"), storages=[storage("weights")])
    sandbox.apply()
    ran = sandbox.run("rollback", WEIGHTS, "1")
    assert ran.code == 1
    assert f"`{WEIGHTS}` is not an endpoint, and only endpoints are rolled back" in ran.err
    assert f"reconciler history {WEIGHTS}" in ran.err
