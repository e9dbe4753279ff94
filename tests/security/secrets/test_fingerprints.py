"""The fingerprints in a committed inventory: no oracle for a weak key, no sign that two secrets are equal."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.e2e.sandbox import KEY, Sandbox, item

PIN = "4711"
MACHINE_MADE = "zK3vQ9xT7bN1mW5cR8pL2dF6gH4jS0yA"


def former(key: str) -> bytes:
    return hashlib.sha256(b"novita-reconciler/state-key\0" + key.encode()).digest()


def seals(value: Any) -> list[dict[str, str]]:
    """Every seal in a document."""
    if isinstance(value, dict):
        return [value] if "hmac-sha256" in value else [one for item in value.values() for one in seals(item)]
    return [one for item in value for one in seals(item)] if isinstance(value, list) else []


def state(sandbox: Sandbox) -> Any:
    return json.loads((sandbox.root / "state/novita.json").read_text())


def declare(sandbox: Sandbox) -> None:
    sandbox.monkeypatch.setenv("PIN", PIN)
    sandbox.declare(
        item("chat", env={"PIN": "${env:PIN}", "SAME": "${env:PIN}"}, command="serve ${env:PIN}"),
        item("embed", env={"PIN": "${env:PIN}"}),
    )


@pytest.mark.parametrize("key", ["a", "2024", "the team's key", "correct horse battery staple"])
def test_a_weak_key_and_a_pin_cannot_be_guessed_from_the_file_at_the_speed_of_a_hash(
    sandbox: Sandbox, key: str
) -> None:
    """Neither the ID of the key nor a seal is what a plain hash of the guess gives."""
    sandbox.monkeypatch.setenv("RECONCILER_STATE_KEY", key)
    declare(sandbox)
    sandbox.apply()
    found = seals(state(sandbox))
    assert len(found) == 4
    fast = former(key)
    for guess in (fast, hmac.digest(fast, b"seal/2", "sha256")):
        key_id = hmac.digest(guess, b"key-id", "sha256").hex()[:12]
        assert all(one["key"] != key_id for one in found)
    assert sandbox.plan().code == 0
    assert sandbox.run("drift").code == 0
    assert "openssl rand -base64 32" in sandbox.run("doctor").out


@pytest.mark.parametrize("key", ["a", MACHINE_MADE, None])
def test_equal_secrets_of_different_fields_have_different_seals(sandbox: Sandbox, key: str | None) -> None:
    """In the inventory, in a saved plan and in the journal of an apply."""
    if key:
        sandbox.monkeypatch.setenv("RECONCILER_STATE_KEY", key)
    declare(sandbox)
    assert sandbox.run("plan", "--out", "the.plan").code == 0
    leaves = json.loads((sandbox.root / "the.plan").read_text())["saved_plan"]["changes"]["chat"]["declared"]
    fingerprints = [leaf["secret"] for leaf in leaves.values() if isinstance(leaf, dict)]
    assert len(fingerprints) == len(set(fingerprints)) == 3
    assert sandbox.run("apply", "the.plan").code == 0
    of_chat = seals(state(sandbox)["endpoints"]["chat"])
    assert len({one["hmac-sha256"] for one in of_chat}) == 3


def test_seals_of_an_earlier_version_cause_no_change_and_are_renewed_by_the_next_apply(
    sandbox: Sandbox,
) -> None:
    """No false drift after the upgrade, and a secret that did change is still told."""
    declare(sandbox)
    sandbox.apply()
    path = sandbox.root / "state/novita.json"
    old = former(KEY)
    key_id = hmac.digest(old, b"key-id", "sha256").hex()[:12]
    document = state(sandbox)
    for one in seals(document):
        one["key"] = key_id
        one["hmac-sha256"] = hmac.digest(old, PIN.encode(), "sha256").hex()
    document["endpoints"]["chat"]["applied"]["image"]["command"]["hmac-sha256"] = hmac.digest(
        old, f"serve {PIN}".encode(), "sha256"
    ).hex()
    path.write_text(json.dumps(document, indent=2))

    assert sandbox.plan().code == 0
    assert sandbox.run("drift").code == 0
    sandbox.monkeypatch.setenv("PIN", "4712")
    changed = sandbox.plan().document["resource_changes"]
    assert {field["cause"] for change in changed for field in change["fields"]} == {"config"}
    sandbox.monkeypatch.setenv("PIN", PIN)
    live = next(one for one in sandbox.sim.world.endpoints if one["name"] == "embed")
    sandbox.sim.world.console_update(live["id"], envs=[{"key": "PIN", "value": "theirs"}])
    assert sandbox.run("drift").code == 2

    sandbox.apply()
    assert {one["key"] for one in seals(state(sandbox))}.isdisjoint({key_id})
    assert len({one["hmac-sha256"] for one in seals(state(sandbox)["endpoints"]["chat"])}) == 3
    assert sandbox.plan().code == 0
