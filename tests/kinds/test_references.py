"""A resource that refers to another one: planned before that has an ID, applied with it."""

import json
from typing import Any

import pytest

from tests.e2e.sandbox import Sandbox

from .test_second_kind import credential, record
from .test_second_kind import password as password
from .toy import ROBOT_TYPE, TYPE, Console


def robot(name: str = "bender", **fields: str) -> dict[str, str]:
    return {"robot": name, "credential": "hub", **fields}


def changes(document: Any) -> dict[str, Any]:
    return {change["address"]: change for change in document["resource_changes"]}


def posts(sandbox: Sandbox) -> list[str]:
    return [one.path.partition("/v1/")[2] for one in sandbox.sim.requests if one.method == "POST"]


def test_the_id_is_known_after_the_apply(sandbox: Sandbox, console: Console) -> None:
    """The plan says so in all formats; the apply sends the ID, and the next plan is empty."""
    sandbox.declare(credentials=[credential()], robots=[robot()])
    assert f"+ credential = (known after apply)  # {TYPE}.hub\n" in sandbox.run("plan").out
    change = changes(sandbox.plan().document)[f"{ROBOT_TYPE}.bender"]
    assert change["change"]["after"]["credentialId"] is None
    assert change["change"]["after_unknown"] == {"id": True, "url": True, "credentialId": True}
    (field,) = [one for one in change["fields"] if one["path"] == ["credentialId"]]
    assert (field["after"], field["after_unknown"]) == (None, True)
    assert '"credentialId": "(known after apply)"' in sandbox.run("preview").out
    for option, name in (("--markdown-into", "plan.md"), ("--html-into", "plan.html")):
        assert sandbox.run("plan", option, name).code == 0
        assert "(known after apply)" in (sandbox.root / name).read_text()

    sandbox.apply()
    (made,) = console.robots.values()
    assert made["credentialId"] == console.by_name("hub")["id"]
    applied = record(sandbox)["resources"][f"{ROBOT_TYPE}.bender"]["applied"]
    assert applied["credentialId"] == made["credentialId"]
    assert "No changes." in sandbox.run("plan").out
    assert sandbox.run("drift").code == 0


def test_a_saved_plan_has_it(sandbox: Sandbox, console: Console) -> None:
    """It is shown and applied as it was approved."""
    sandbox.declare(credentials=[credential()], robots=[robot()])
    assert sandbox.run("plan", "--out", "tf.plan").code == 0
    assert "(known after apply)" in sandbox.run("show", "tf.plan").out
    assert sandbox.run("apply", "tf.plan").code == 0
    assert len(console.robots) == 1


def test_an_interrupted_apply_is_resumed(sandbox: Sandbox, console: Console) -> None:
    """What was not known when it was approved may be known by now."""
    sandbox.declare(credentials=[credential()], robots=[robot()])
    console.refused = {"/robot/create"}
    assert sandbox.run("apply", "--auto-approve").code == 4
    console.refused = set()
    assert sandbox.run("apply", "--resume").code == 0
    assert len(console.robots) == 1


def test_a_change_in_the_console_is_undone(sandbox: Sandbox, console: Console) -> None:
    """As for any other field."""
    sandbox.declare(credentials=[credential(), credential("other")], robots=[robot()])
    sandbox.apply()
    (made,) = console.robots.values()
    made["credentialId"] = console.by_name("other")["id"]
    drifted = sandbox.run("drift", "--json")
    assert [one["path"] for one in drifted.document["resource_drift"][0]["fields"]] == [["credentialId"]]
    sandbox.apply()
    (made,) = console.robots.values()
    assert made["credentialId"] == console.by_name("hub")["id"]


def test_an_unknown_name_is_an_error_with_its_place(sandbox: Sandbox, console: Console) -> None:
    """Near names are suggested, and a name that has errors of its own is known."""
    sandbox.declare(
        credentials=[credential(), {"credential": "broken"}],
        robots=[robot(credential="hbu"), robot("r2", credential="broken"), robot("c3", credential="x" * 9)],
    )
    ran = sandbox.run("validate", "--json")
    problems = [one for one in ran.document["problems"] if one["code"] == "unknown-reference"]
    assert [(one["summary"], one["hint"]) for one in problems] == [
        ("`hbu` is not declared in `credentials`", "did you mean `hub`?"),
        ("`xxxxxxxxx` is not declared in `credentials`", "declared are: broken, hub"),
    ]
    assert all(one["line"] and one["column"] for one in problems)
    assert problems[0]["address"] == f"{ROBOT_TYPE}.bender"
    sandbox.declare(robots=[robot()])
    assert "Declare it in `credentials:` with `- credential: hub`" in sandbox.run("validate").err


def test_what_needs_a_failed_change_is_not_attempted(sandbox: Sandbox, console: Console) -> None:
    """The problem names the dependency, and the next apply does the rest."""
    sandbox.declare(credentials=[credential()], robots=[robot()])
    console.refused = {"/credential/create"}
    ran = sandbox.run("apply", "--auto-approve", "--json")
    results = {one["address"]: one for one in ran.document["results"]}
    assert ran.code == 4
    assert results[f"{TYPE}.hub"]["outcome"] == "failed"
    assert results[f"{ROBOT_TYPE}.bender"]["outcome"] == "not attempted"
    summary = results[f"{ROBOT_TYPE}.bender"]["problem"]["summary"]
    assert summary == f"{TYPE}.hub was not created, and `bender` refers to it"
    assert "robot/create" not in posts(sandbox)
    console.refused = set()
    sandbox.apply()
    assert len(console.robots) == 1


def test_deletes_go_the_other_way_round(sandbox: Sandbox, console: Console) -> None:
    """What is used is deleted after its users, and not at all if one of them stays."""
    sandbox.declare(credentials=[credential()], robots=[robot()])
    sandbox.apply()
    sandbox.declare()
    console.refused = {"/robot/delete"}
    ran = sandbox.run("apply", "--auto-approve", "--allow-delete", "2", "--json")
    results = {one["address"]: one for one in ran.document["results"]}
    assert results[f"{TYPE}.hub"]["problem"]["summary"] == (
        f"{ROBOT_TYPE}.bender was not deleted, and it uses `hub`"
    )
    assert "credential/delete" not in posts(sandbox)
    console.refused = set()
    sandbox.apply("--allow-delete", "2")
    assert posts(sandbox)[-2:] == ["robot/delete", "credential/delete"]
    assert (console.robots, console.credentials) == ({}, {})


def test_a_target_includes_what_it_refers_to(sandbox: Sandbox, console: Console) -> None:
    """An exclude of it is an error as long as it has no ID."""
    sandbox.declare(credentials=[credential(), credential("other")], robots=[robot(), robot("r2")])
    plan = sandbox.plan("--target", f"{ROBOT_TYPE}.bender")
    assert set(changes(plan.document)) == {f"{TYPE}.hub", f"{ROBOT_TYPE}.bender"}
    plan = sandbox.plan("--exclude", f"{TYPE}.hub")
    assert (plan.code, plan.codes) == (1, ["partial", *["unresolved-reference"] * 2])
    sandbox.apply("--target", f"{TYPE}.hub")
    sandbox.apply("--exclude", f"{TYPE}.hub")
    assert {one["credentialId"] for one in console.robots.values()} == {console.by_name("hub")["id"]}


@pytest.mark.parametrize("address", [f"{TYPE}.hub", f"{ROBOT_TYPE}.bender"])
def test_the_inventory_holds_ids_only(sandbox: Sandbox, console: Console, address: str) -> None:
    """A reference has no JSON form, so that it cannot reach the disk."""
    sandbox.declare(credentials=[credential()], robots=[robot()])
    sandbox.apply()
    assert "eference" not in json.dumps(record(sandbox)["resources"][address])
