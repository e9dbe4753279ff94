"""A second kind goes through the same plan, apply, drift and import as endpoints, over a real socket."""

import json
from typing import Any

import pytest

from tests.e2e.sandbox import Sandbox, item

from .toy import TYPE, Console


def credential(name: str = "hub", **fields: str) -> dict[str, str]:
    return {"credential": name, "username": "ada", "password": "${env:HUB_PASSWORD}", **fields}


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PASSWORD", "s3cret-of-the-hub")


def record(sandbox: Sandbox) -> Any:
    return json.loads((sandbox.root / "state/novita.json").read_text())


def test_it_is_planned_and_applied_before_what_needs_it(sandbox: Sandbox, console: Console) -> None:
    """A credential is made before endpoints and deleted after them; the plan after an apply is empty."""
    sandbox.declare(item("chat"), credentials=[credential()])
    plan = sandbox.plan()
    assert plan.code == 2
    changes = {change["address"]: change for change in plan.document["resource_changes"]}
    assert {address: change["action"] for address, change in changes.items()} == {
        "novita_endpoint.chat": "create",
        "novita_credential.hub": "create",
    }
    assert changes["novita_credential.hub"]["type"] == TYPE
    assert "s3cret" not in plan.out + sandbox.run("plan").out

    applied = sandbox.apply()
    assert "Apply complete! Resources: 2 added, 0 changed, 0 destroyed." in applied.out
    assert console.by_name("hub")["password"] == "s3cret-of-the-hub"
    assert "s3cret" not in applied.out + applied.err + json.dumps(record(sandbox))
    assert list(record(sandbox)["endpoints"]) == ["chat"]
    assert list(record(sandbox)["resources"]) == ["novita_credential.hub"]
    assert "No changes." in sandbox.run("plan").out

    sandbox.declare()
    sandbox.apply("--allow-delete", "2")
    order = [one.path.rsplit("/", 2)[-2:] for one in sandbox.sim.requests if one.method == "POST"]
    assert order == [
        ["credential", "create"],
        ["endpoint", "create"],
        ["endpoint", "delete"],
        ["credential", "delete"],
    ]
    assert console.credentials == {}
    assert "resources" not in record(sandbox)


def test_a_change_is_a_replacement_for_it_cannot_be_updated(sandbox: Sandbox, console: Console) -> None:
    """The old one is deleted and a new one made, under a guard as for any replacement."""
    sandbox.declare(credentials=[credential()])
    sandbox.apply()
    old = console.by_name("hub")["id"]
    sandbox.declare(credentials=[credential(username="bob")])
    plan = sandbox.plan()
    (change,) = plan.document["resource_changes"]
    assert (change["action"], change["change"]["replace_paths"]) == ("replace", [["username"]])
    sandbox.apply("--allow-delete", "1")
    assert console.by_name("hub")["username"] == "bob"
    assert console.by_name("hub")["id"] != old
    assert record(sandbox)["resources"]["novita_credential.hub"]["id"] == console.by_name("hub")["id"]
    assert "No changes." in sandbox.run("plan").out


def test_a_credential_in_use_stays(sandbox: Sandbox, console: Console) -> None:
    """Novita's refusal says what to do; the record stays as well."""
    sandbox.declare(credentials=[credential()])
    sandbox.apply()
    console.is_in_use = True
    sandbox.declare()
    ran = sandbox.run("apply", "--auto-approve", "--allow-delete", "1")
    assert ran.code != 0
    assert "Delete what uses it first" in ran.out + ran.err
    assert "novita_credential.hub" in record(sandbox)["resources"]


def test_a_target_is_its_address(sandbox: Sandbox, console: Console) -> None:
    """A name alone means an endpoint."""
    sandbox.declare(item("hub"), credentials=[credential(), credential("other")])
    assert sandbox.run("plan", "--target", "nope").code == 1
    plan = sandbox.plan("--target", f"{TYPE}.hub")
    assert [change["address"] for change in plan.document["resource_changes"]] == [f"{TYPE}.hub"]
    plan = sandbox.plan("--target", "hub")
    assert [change["address"] for change in plan.document["resource_changes"]] == ["novita_endpoint.hub"]


def test_drift_is_found_and_undone(sandbox: Sandbox, console: Console) -> None:
    """What others changed is drift, secrets hidden; an apply replaces it, and makes anew what is gone."""
    sandbox.declare(item("chat"), credentials=[credential(), credential("other")])
    sandbox.apply()
    assert sandbox.run("drift").code == 0
    console.by_name("hub")["password"] = "changed-by-somebody"
    console.credentials.pop(console.by_name("other")["id"])
    ran = sandbox.run("drift", "--json")
    assert ran.code == 2
    drifts = {drift["address"]: drift for drift in ran.document["resource_drift"]}
    assert [field["path"] for field in drifts[f"{TYPE}.hub"]["fields"]] == [["password"]]
    assert set(drifts) == {f"{TYPE}.hub", f"{TYPE}.other"}
    text = sandbox.run("drift").out
    assert "changed-by-somebody" not in ran.out + text
    sandbox.apply("--allow-delete", "1")
    assert {one["password"] for one in console.credentials.values()} == {"s3cret-of-the-hub"}
    assert len(console.credentials) == 2
    assert sandbox.run("drift").code == 0


def test_a_live_one_is_adopted_by_name(sandbox: Sandbox, console: Console) -> None:
    """Only as it is declared: one that differs cannot be overwritten where there is no update."""
    object_id = console.add(name="hub", username="ada", password="s3cret-of-the-hub")
    sandbox.declare(credentials=[credential()])
    assert sandbox.plan().actions == {"hub": "adopt"}
    sandbox.apply()
    assert record(sandbox)["resources"]["novita_credential.hub"]["id"] == object_id
    console.add(name="other", username="bob", password="x")
    sandbox.declare(credentials=[credential(), credential("other")])
    plan = sandbox.plan("--adopt")
    assert (plan.code, plan.codes) == (1, ["cannot-adopt"])


def test_its_section_is_checked(sandbox: Sandbox, console: Console) -> None:
    """By the schema of the kind, each problem with its place; names are unique within the section."""
    sandbox.declare(
        item("chat"),
        credentials=[{"credential": "a", "user": "x"}, {"username": "y"}, credential(), credential()],
    )
    ran = sandbox.run("validate", "--json")
    problems = {(problem["code"], problem["summary"]) for problem in ran.document["problems"]}
    assert ran.code == 1
    assert ("unknown-key", "unknown key `user`") in problems
    assert ("missing-key", "this item has no `credential`, its name") in problems
    assert ("duplicate-credential", "`hub` is declared twice in `credentials`") in problems
    sandbox.declare(credentials={})
    assert "`credentials` must be a list" in sandbox.run("validate").err


def test_one_is_imported_by_its_address(sandbox: Sandbox, console: Console) -> None:
    """As an endpoint is by its name; what differs from the YAML is the next change, here a replacement."""
    object_id = console.add(name="hub", username="ada", password="s3cret-of-the-hub")
    sandbox.declare(credentials=[credential()])
    address = f"{TYPE}.hub"
    assert sandbox.run("import", address, object_id).code == 0
    assert record(sandbox)["resources"][address]["id"] == object_id
    assert "s3cret" not in json.dumps(record(sandbox))
    assert "No changes." in sandbox.run("plan").out
    assert sandbox.run("state", "list").out == f"{address}  {object_id}\n"
    again = sandbox.run("import", f"{TYPE}.copy", object_id)
    assert (again.code, f"it is recorded as `{address}`" in again.err) == (1, True)

    assert sandbox.run("state", "rm", address).code == 0
    assert "resources" not in record(sandbox)
    sandbox.declare(credentials=[credential(username="bob")])
    assert sandbox.run("import", address, object_id).code == 0
    assert sandbox.plan().actions == {"hub": "replace"}
    assert sandbox.run("import", f"{TYPE}.gone", "cred-9").code == 1


def test_everything_is_imported_at_once(sandbox: Sandbox, console: Console) -> None:
    """Each kind in its section, secrets by reference; the plan after it is proven to be empty."""
    console.add(name="hub", username="ada", password="s3cret-of-the-hub")
    sandbox.sim.world.console_create(name="chat")
    ran = sandbox.run("import", "--all", "--out", "endpoints.yaml", "--json")
    assert ran.code == 0, ran.err
    assert [one["name"] for one in ran.document["imported"]] == ["chat", f"{TYPE}.hub"]
    text = (sandbox.root / "endpoints.yaml").read_text()
    assert "credentials:\n  - credential: hub\n    username: ada\n" in text
    assert "s3cret" not in text
    assert list(record(sandbox)["resources"]) == [f"{TYPE}.hub"]
    assert "No changes." in sandbox.run("plan").out
    assert sandbox.run("drift").code == 0
    console.add(name="other", username="bob", password="x")
    more = sandbox.run("import", "--all", "--out", "endpoints/more.yaml", "--match", f"{TYPE}.o*")
    assert more.code == 0, more.err
    assert "endpoints: []\n\ncredentials:\n" in (sandbox.root / "endpoints/more.yaml").read_text()


def test_commands_about_endpoints_leave_it_alone(sandbox: Sandbox, console: Console) -> None:
    """A credential serves at once, has versions, and is destroyed with all that is recorded."""
    sandbox.declare(item("hub", minReplicas=0), credentials=[credential()])
    sandbox.apply("--wait=20")
    versions = sandbox.run("history", "--json").document
    assert {version["id"] for version in versions} == {sandbox.id("hub"), "cred-1"}
    assert sandbox.run("scale", "hub", "--max", "2", "--auto-approve").code == 0
    assert sandbox.run("state", "rebuild").code == 0
    assert list(record(sandbox)["resources"]) == [f"{TYPE}.hub"]
    assert sandbox.run("destroy", "--auto-approve").code == 0
    assert (console.credentials, sandbox.live()) == ({}, {})


def test_an_unset_reference_is_no_drift(
    sandbox: Sandbox, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs that only compare may lack a secret: what is declared there is not known."""
    sandbox.declare(credentials=[credential()])
    sandbox.apply()
    monkeypatch.delenv("HUB_PASSWORD")
    assert sandbox.run("drift").code == 0
    assert sandbox.run("plan").code == 1
    console.by_name("hub")["username"] = "eve"
    assert sandbox.run("drift").code == 2
