"""The inventory: safe to commit, harmless to lose, and never a place for secrets."""

import json
import shutil
import subprocess

import pytest

from tests.e2e.desk import Sandbox, item


def test_it_can_be_listed_and_shown(desk: Sandbox) -> None:
    """`state list` names what is ours, `state show` says what was last applied."""
    assert "is empty" in desk.run("state", "list").err
    desk.declare(item("chat", replicas=2), item("embedding"))
    desk.apply()
    ran = desk.run("state", "list")
    assert ran.out == f"chat       {desk.id('chat')}\nembedding  {desk.id('embedding')}\n"
    ran = desk.run("state", "list", "--json", "--target", "chat")
    assert ran.document == [{"name": "chat", "id": desk.id("chat")}]
    shown = desk.run("state", "show", "chat").document
    assert shown["id"] == desk.id("chat")
    assert shown["applied"]["workerConfig"]["maxNum"] == 2
    ran = desk.run("state", "show", "nobody")
    assert ran.code == 1
    assert "`nobody`" in ran.err
    assert "reconciler state list" in ran.err


def test_an_endpoint_can_be_let_go(desk: Sandbox) -> None:
    """`state rm` forgets the record and leaves the endpoint; a name that is unknown changes nothing."""
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    assert desk.run("state", "rm", "chat", "nobody").code == 1
    assert set(desk.inventory) == {"chat", "embed"}
    assert desk.run("state", "rm", "chat", "--json").document["forgotten"] == ["chat"]
    desk.declare(item("embed"))
    planned = desk.plan()
    assert planned.code == 0
    assert [one["name"] for one in planned.document["unmanaged"]] == ["chat"]


def test_it_can_be_rebuilt(desk: Sandbox) -> None:
    """`state rebuild` records what is declared and live once; the plan is then as it was, drift aside."""
    desk.monkeypatch.setenv("TOKEN", "a-secret-value")
    desk.declare(
        item("chat", env={"TOKEN": "${env:TOKEN}", "A": "1"}), item("embed"), item("twice"), item("new")
    )
    desk.apply("--exclude", "new")
    desk.sim.world.console_create(name="twice", appName="twice-2")
    shutil.rmtree(desk.root / "state")
    ran = desk.run("state", "rebuild", "--json")
    assert ran.code == 0
    assert [one["name"] for one in ran.document["recorded"]] == ["chat", "embed"]
    assert {one["code"] for one in ran.document["problems"]} == {"ambiguous-name", "not-live"}
    assert desk.inventory["chat"]["id"] == desk.id("chat")
    desk.declare(item("chat", env={"TOKEN": "${env:TOKEN}", "A": "1"}), item("embed"), item("new"))
    assert desk.plan().actions == {"new": "create"}


@pytest.mark.parametrize("damage", ["not json", "", '{"format": 1}'])
def test_a_broken_one_is_told_and_rebuilt(desk: Sandbox, damage: str) -> None:
    """An inventory that cannot be read stops every command but rebuild; its text stays as the backup."""
    desk.declare(item("chat"))
    desk.apply()
    desk.write("state/novita.json", damage)
    for command in (("plan",), ("apply", "--auto-approve"), ("state", "list")):
        ran = desk.run(*command)
        assert ran.code == 1
        assert "state/novita.json" in ran.err
        assert "reconciler state rebuild" in ran.err
    assert desk.run("state", "rebuild").code == 0
    assert desk.plan().code == 0
    assert (desk.root / "state/novita.json.backup").read_text() == damage


def test_losing_it_changes_no_fate(desk: Sandbox) -> None:
    """Without the file the next plan adopts what is as declared, and nothing else would be done."""
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    before = desk.sim.world.endpoints
    shutil.rmtree(desk.root / "state")
    assert desk.plan().actions == {"chat": "adopt", "embed": "adopt"}
    desk.apply()
    assert desk.plan().code == 0
    assert desk.sim.world.endpoints == before


def test_losing_it_together_with_an_edit(desk: Sandbox) -> None:
    """Lost and edited at once, an endpoint is still not overwritten unasked."""
    desk.declare(item("chat"))
    desk.apply()
    shutil.rmtree(desk.root / "state")
    desk.declare(item("chat", replicas=2))
    assert desk.plan().code == 3
    desk.apply("--adopt")
    assert desk.plan().code == 0


def test_an_older_map_from_git(desk: Sandbox) -> None:
    """A map of yesterday loses nothing: what is newer is adopted, what is gone is forgotten."""
    desk.declare(item("chat"), item("old"))
    desk.apply()
    yesterday = (desk.root / "state/novita.json").read_text()
    desk.declare(item("chat", replicas=2), item("new"))
    desk.apply()
    desk.write("state/novita.json", yesterday)
    planned = desk.plan()
    assert planned.actions == {"new": "adopt", "old": "forget"}
    desk.apply()
    assert desk.plan().code == 0
    assert set(desk.inventory) == {"chat", "new"}


def test_a_map_of_a_merge_conflict(desk: Sandbox) -> None:
    """Markers of an unresolved merge are told with their line."""
    desk.declare(item("chat"))
    desk.apply()
    text = (desk.root / "state/novita.json").read_text()
    desk.write("state/novita.json", text.replace('  "endpoints"', '<<<<<<< ours\n  "endpoints"'))
    ran = desk.run("plan")
    assert ran.code == 1
    assert "merge conflict" in ran.err
    assert "state/novita.json:4" in ran.err


def test_a_newer_format_is_refused(desk: Sandbox) -> None:
    """What a newer program wrote is neither read nor overwritten."""
    desk.declare(item("chat"))
    desk.apply()
    document = json.loads((desk.root / "state/novita.json").read_text())
    desk.write("state/novita.json", {**document, "format": 99})
    before = desk.files()
    for command in (("plan",), ("apply", "--auto-approve"), ("state", "rm", "chat")):
        ran = desk.run(*command)
        assert ran.code == 1
        assert "newer reconciler" in ran.err
    assert desk.files() == before


def test_only_the_map_is_for_git(desk: Sandbox) -> None:
    """After `init` and an apply, git sees the files of the user and the map, and the map is sorted."""
    (desk.root / "specs.yaml").unlink()
    assert desk.run("init").code == 0
    desk.write("specs.yaml", (desk.root / "specs.yaml").read_text())
    desk.apply()
    names = list(desk.inventory)
    assert names == sorted(names)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run([*git, "init", "-q"], cwd=desk.root, check=True, timeout=60)
    subprocess.run([*git, "add", "-A"], cwd=desk.root, check=True, timeout=60)
    listed = subprocess.run(
        [*git, "ls-files"], cwd=desk.root, check=True, capture_output=True, text=True, timeout=60
    ).stdout
    assert set(listed.split()) == {
        ".gitignore",
        ".reconciler/endpoints.schema.json",
        ".reconciler/specs.schema.json",
        "config.yaml",
        "endpoints.yaml",
        "specs.yaml",
        "state/novita.json",
    }


def causes(desk: Sandbox, name: str = "chat") -> dict[str, str]:
    """Field -> cause of one pending change."""
    changes = {one["name"]: one for one in desk.plan().document["resource_changes"]}
    return {".".join(one["path"]): one["cause"] for one in changes[name]["fields"]}


def test_who_moved_a_field(desk: Sandbox) -> None:
    """What we changed is `config`, what they changed `drift`, what both changed `both`."""
    desk.declare(item("chat", replicas=2, env={"A": "1", "B": "1", "C": "1"}))
    desk.apply()
    theirs = [{"key": "A", "value": "9"}, {"key": "B", "value": "9"}, {"key": "C", "value": "1"}]
    desk.sim.world.edit(desk.id("chat"), lambda one: one.update(envs=theirs))
    desk.declare(item("chat", replicas=2, env={"A": "1", "B": "2", "C": "2"}))
    assert causes(desk) == {"envs.A": "drift", "envs.B": "both", "envs.C": "config"}
    ran = desk.run("plan")
    assert ran.out.startswith("Note: Objects have changed outside of reconciler\n\n")
    assert "# novita_endpoint.chat has changed" in ran.out
    lines = [line.split() for line in ran.out.splitlines() if "envs." in line]
    assert ["~", "envs.A", "=", '"9"', "->", '"1"', "#", "drift"] in lines
    document = desk.plan().document
    (drift,) = document["resource_drift"]
    assert drift["address"] == "novita_endpoint.chat"
    assert {".".join(one["path"]): (one["before"], one["after"]) for one in drift["fields"]} == {
        "envs.A": ("1", "9"),
        "envs.B": ("1", "9"),
    }


def test_a_change_made_on_both_sides_alike_is_none(desk: Sandbox) -> None:
    """Somebody scaled in the console and the YAML says so too: nothing to do but to record it."""
    desk.declare(item("chat", replicas=2))
    desk.apply()
    desk.sim.world.console_update(desk.id("chat"), workerConfig={"minNum": 5, "maxNum": 5})
    desk.declare(item("chat", replicas=5))
    assert desk.plan().actions == {}
    writes = len(desk.sent())
    desk.apply()
    assert len(desk.sent()) == writes
    assert desk.inventory["chat"]["applied"]["workerConfig"]["maxNum"] == 5


def test_a_deleted_one_comes_back(desk: Sandbox) -> None:
    """What somebody deleted is drift, and is created again."""
    desk.declare(item("chat"))
    desk.apply()
    known = desk.id("chat")
    desk.sim.world.console_delete(known)
    planned = desk.plan()
    assert planned.actions == {"chat": "create"}
    (drift,) = planned.document["resource_drift"]
    assert drift["change"]["actions"] == ["delete"]
    assert known in planned.document["resource_changes"][0]["action_reason"]
    assert "# novita_endpoint.chat has been deleted" in desk.run("plan").out
    desk.apply()
    assert desk.inventory["chat"]["id"] == desk.id("chat") != known


def test_secrets_drift_without_being_told(desk: Sandbox) -> None:
    """A secret that somebody changed is drift by its fingerprint; under another key nobody can say who."""
    desk.monkeypatch.setenv("TOKEN", "a-secret-value")
    desk.declare(item("chat", env={"TOKEN": "${env:TOKEN}"}))
    desk.apply()
    desk.sim.world.edit(
        desk.id("chat"), lambda one: one.update(envs=[{"key": "TOKEN", "value": "their-value"}])
    )
    assert causes(desk) == {"envs.TOKEN": "drift"}
    ran = desk.run("plan")
    assert "envs.TOKEN = (sensitive value) -> (sensitive value)" in ran.out
    assert "their-value" not in ran.out
    desk.monkeypatch.setenv("NOVITA_API_KEY", "sk_another")
    assert causes(desk) == {"envs.TOKEN": "unknown"}
    desk.apply()
    assert desk.plan().code == 0


def test_the_inventory_of_another_host(desk: Sandbox) -> None:
    """An inventory written for another address is not written without a word of consent."""
    desk.declare(item("chat"))
    desk.apply()
    text = (desk.root / "state/novita.json").read_text()
    desk.write("state/novita.json", text.replace(desk.sim.url, "https://api.novita.ai"))
    ran = desk.run("plan")
    assert ran.code == 3
    assert "--state PATH" in ran.err
    assert "reconciler plan --allow-other-account" in ran.err
    assert desk.run("plan", "--allow-other-account").code == 0
