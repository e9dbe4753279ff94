"""The inventory: safe to commit, harmless to lose, and never a place for secrets."""

import json
import shutil
import subprocess

import pytest

from tests.e2e.sandbox import Sandbox, item


def test_it_can_be_listed_and_shown(sandbox: Sandbox) -> None:
    """`state list` names what is ours, `state show` says what was last applied."""
    assert "is empty" in sandbox.run("state", "list").err
    sandbox.declare(item("chat", replicas=2), item("embedding"))
    sandbox.apply()
    ran = sandbox.run("state", "list")
    assert ran.out == f"chat       {sandbox.id('chat')}\nembedding  {sandbox.id('embedding')}\n"
    ran = sandbox.run("state", "list", "--json", "--target", "chat")
    assert ran.document == [{"name": "chat", "id": sandbox.id("chat")}]
    shown = sandbox.run("state", "show", "chat").document
    assert shown["id"] == sandbox.id("chat")
    assert shown["applied"]["workerConfig"]["maxNum"] == 2
    ran = sandbox.run("state", "show", "nobody")
    assert ran.code == 1
    assert "`nobody`" in ran.err
    assert "reconciler state list" in ran.err


def test_an_endpoint_can_be_let_go(sandbox: Sandbox) -> None:
    """`state rm` forgets the record and leaves the endpoint; a name that is unknown changes nothing."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    assert sandbox.run("state", "rm", "chat", "nobody").code == 1
    assert set(sandbox.inventory) == {"chat", "embed"}
    assert sandbox.run("state", "rm", "chat", "--json").document["forgotten"] == ["chat"]
    sandbox.declare(item("embed"))
    planned = sandbox.plan()
    assert planned.code == 0
    assert [one["name"] for one in planned.document["unmanaged"]] == ["chat"]


def test_it_can_be_rebuilt(sandbox: Sandbox) -> None:
    """`state rebuild` records what is declared and live once; the plan is then as it was, drift aside."""
    sandbox.monkeypatch.setenv("TOKEN", "a-secret-value")
    sandbox.declare(
        item("chat", env={"TOKEN": "${env:TOKEN}", "A": "1"}), item("embed"), item("twice"), item("new")
    )
    sandbox.apply("--exclude", "new")
    sandbox.sim.world.console_create(name="twice", appName="twice-2")
    shutil.rmtree(sandbox.root / "state")
    ran = sandbox.run("state", "rebuild", "--json")
    assert ran.code == 0
    assert [one["name"] for one in ran.document["recorded"]] == ["chat", "embed"]
    assert {one["code"] for one in ran.document["problems"]} == {"ambiguous-name", "not-live"}
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat")
    sandbox.declare(item("chat", env={"TOKEN": "${env:TOKEN}", "A": "1"}), item("embed"), item("new"))
    assert sandbox.plan().actions == {"new": "create"}


@pytest.mark.parametrize("damage", ["not json", "", '{"format": 1}'])
def test_a_broken_one_is_told_and_rebuilt(sandbox: Sandbox, damage: str) -> None:
    """An inventory that cannot be read stops every command but rebuild; its text stays as the backup."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.write("state/novita.json", damage)
    for command in (("plan",), ("apply", "--auto-approve"), ("state", "list")):
        ran = sandbox.run(*command)
        assert ran.code == 1
        assert "state/novita.json" in ran.err
        assert "reconciler state rebuild" in ran.err
    assert sandbox.run("state", "rebuild").code == 0
    assert sandbox.plan().code == 0
    assert (sandbox.root / "state/novita.json.backup").read_text() == damage


def test_losing_it_changes_no_fate(sandbox: Sandbox) -> None:
    """Without the file the next plan adopts what is as declared, and nothing else would be done."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    before = sandbox.sim.world.endpoints
    shutil.rmtree(sandbox.root / "state")
    assert sandbox.plan().actions == {"chat": "adopt", "embed": "adopt"}
    sandbox.apply()
    assert sandbox.plan().code == 0
    assert sandbox.sim.world.endpoints == before


def test_losing_it_together_with_an_edit(sandbox: Sandbox) -> None:
    """Lost and edited at once, an endpoint is still not overwritten unasked."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    shutil.rmtree(sandbox.root / "state")
    sandbox.declare(item("chat", replicas=2))
    assert sandbox.plan().code == 3
    sandbox.apply("--adopt")
    assert sandbox.plan().code == 0


def test_an_older_map_from_git(sandbox: Sandbox) -> None:
    """A map of yesterday loses nothing: what is newer is adopted, what is gone is forgotten."""
    sandbox.declare(item("chat"), item("old"))
    sandbox.apply()
    yesterday = (sandbox.root / "state/novita.json").read_text()
    sandbox.declare(item("chat", replicas=2), item("new"))
    sandbox.apply()
    sandbox.write("state/novita.json", yesterday)
    planned = sandbox.plan()
    assert planned.actions == {"new": "adopt", "old": "forget"}
    sandbox.apply()
    assert sandbox.plan().code == 0
    assert set(sandbox.inventory) == {"chat", "new"}


def test_a_map_of_a_merge_conflict(sandbox: Sandbox) -> None:
    """Markers of an unresolved merge are told with their line."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    text = (sandbox.root / "state/novita.json").read_text()
    sandbox.write("state/novita.json", text.replace('  "endpoints"', '<<<<<<< ours\n  "endpoints"'))
    ran = sandbox.run("plan")
    assert ran.code == 1
    assert "merge conflict" in ran.err
    assert "state/novita.json:4" in ran.err


def test_a_newer_format_is_refused(sandbox: Sandbox) -> None:
    """What a newer program wrote is neither read nor overwritten."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    document = json.loads((sandbox.root / "state/novita.json").read_text())
    sandbox.write("state/novita.json", {**document, "format": 99})
    before = sandbox.files()
    for command in (("plan",), ("apply", "--auto-approve"), ("state", "rm", "chat")):
        ran = sandbox.run(*command)
        assert ran.code == 1
        assert "newer reconciler" in ran.err
    assert sandbox.files() == before


def test_only_the_map_is_for_git(sandbox: Sandbox) -> None:
    """After `init` and an apply, git sees the files of the user and the map, and the map is sorted."""
    (sandbox.root / "specs.yaml").unlink()
    assert sandbox.run("init").code == 0
    sandbox.write("specs.yaml", (sandbox.root / "specs.yaml").read_text())
    sandbox.apply()
    names = list(sandbox.inventory)
    assert names == sorted(names)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run([*git, "init", "-q"], cwd=sandbox.root, check=True, timeout=60)
    subprocess.run([*git, "add", "-A"], cwd=sandbox.root, check=True, timeout=60)
    listed = subprocess.run(
        [*git, "ls-files"], cwd=sandbox.root, check=True, capture_output=True, text=True, timeout=60
    ).stdout
    assert set(listed.split()) == {
        ".gitignore",
        ".reconciler/.gitignore",
        ".reconciler/config.schema.json",
        ".reconciler/endpoints.schema.json",
        ".reconciler/specs.schema.json",
        "config.yaml",
        "endpoints.yaml",
        "specs.yaml",
        "state/.gitignore",
        "state/novita.json",
    }


def causes(sandbox: Sandbox, name: str = "chat") -> dict[str, str]:
    """Field -> cause of one pending change."""
    changes = {one["name"]: one for one in sandbox.plan().document["resource_changes"]}
    return {".".join(one["path"]): one["cause"] for one in changes[name]["fields"]}


def test_who_moved_a_field(sandbox: Sandbox) -> None:
    """What we changed is `config`, what they changed `drift`, what both changed `both`."""
    sandbox.declare(item("chat", replicas=2, env={"A": "1", "B": "1", "C": "1"}))
    sandbox.apply()
    theirs = [{"key": "A", "value": "9"}, {"key": "B", "value": "9"}, {"key": "C", "value": "1"}]
    sandbox.sim.world.edit(sandbox.id("chat"), lambda one: one.update(envs=theirs))
    sandbox.declare(item("chat", replicas=2, env={"A": "1", "B": "2", "C": "2"}))
    assert causes(sandbox) == {"envs.A": "drift", "envs.B": "both", "envs.C": "config"}
    ran = sandbox.run("plan")
    assert ran.out.startswith("Note: Objects have changed outside of reconciler\n\n")
    assert "# novita_endpoint.chat has changed" in ran.out
    lines = [line.split() for line in ran.out.splitlines() if "env." in line]
    assert ["~", "env.A", "=", '"9"', "->", '"1"', "#", "drift"] in lines
    document = sandbox.plan().document
    (drift,) = document["resource_drift"]
    assert drift["address"] == "novita_endpoint.chat"
    assert {".".join(one["path"]): (one["before"], one["after"]) for one in drift["fields"]} == {
        "envs.A": ("1", "9"),
        "envs.B": ("1", "9"),
    }


def test_a_change_made_on_both_sides_alike_is_none(sandbox: Sandbox) -> None:
    """Somebody scaled in the console and the YAML says so too: nothing to do but to record it."""
    sandbox.declare(item("chat", replicas=2))
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id("chat"), workerConfig={"minNum": 5, "maxNum": 5})
    sandbox.declare(item("chat", replicas=5))
    assert sandbox.plan().actions == {}
    writes = len(sandbox.sent())
    sandbox.apply()
    assert len(sandbox.sent()) == writes
    assert sandbox.inventory["chat"]["applied"]["workerConfig"]["maxNum"] == 5


def test_a_deleted_one_comes_back(sandbox: Sandbox) -> None:
    """What somebody deleted is drift, and is created again."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    known = sandbox.id("chat")
    sandbox.sim.world.console_delete(known)
    planned = sandbox.plan()
    assert planned.actions == {"chat": "create"}
    (drift,) = planned.document["resource_drift"]
    assert drift["change"]["actions"] == ["delete"]
    assert known in planned.document["resource_changes"][0]["action_reason"]
    assert "# novita_endpoint.chat has been deleted" in sandbox.run("plan").out
    sandbox.apply()
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat") != known


def test_secrets_drift_without_being_told(sandbox: Sandbox) -> None:
    """A secret that somebody changed is drift by its fingerprint; under another key nobody can say who."""
    sandbox.monkeypatch.setenv("TOKEN", "a-secret-value")
    sandbox.declare(item("chat", env={"TOKEN": "${env:TOKEN}"}))
    sandbox.apply()
    sandbox.sim.world.edit(
        sandbox.id("chat"), lambda one: one.update(envs=[{"key": "TOKEN", "value": "their-value"}])
    )
    assert causes(sandbox) == {"envs.TOKEN": "drift"}
    ran = sandbox.run("plan")
    assert "env.TOKEN = (sensitive value) -> (sensitive value)" in ran.out
    assert "their-value" not in ran.out
    sandbox.monkeypatch.setenv("NOVITA_API_KEY", "sk_another")
    assert causes(sandbox) == {"envs.TOKEN": "unknown"}
    sandbox.apply()
    assert sandbox.plan().code == 0


def test_the_inventory_of_another_host(sandbox: Sandbox) -> None:
    """An inventory written for another address is not written without a word of consent."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    text = (sandbox.root / "state/novita.json").read_text()
    sandbox.write("state/novita.json", text.replace(sandbox.sim.url, "https://api.novita.ai"))
    ran = sandbox.run("plan")
    assert ran.code == 3
    assert "--state PATH" in ran.err
    assert "reconciler plan --allow-other-account" in ran.err
    assert sandbox.run("plan", "--allow-other-account").code == 0
