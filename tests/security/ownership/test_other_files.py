"""An inventory belongs to one set of files: another set asks before it deletes or overwrites."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.sandbox import ROOT, Sandbox, item

NINE = [f"e{number}" for number in range(9)]


def state(sandbox: Sandbox, path: str = "state/novita.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((sandbox.root / path).read_text())
    return found


def save(sandbox: Sandbox, document: dict[str, Any]) -> None:
    sandbox.write("state/novita.json", json.dumps(document, indent=2, sort_keys=True) + "\n")


@pytest.fixture
def prod(sandbox: Sandbox) -> Sandbox:
    """Nine endpoints applied from prod.yaml, and a dev.yaml beside it."""
    sandbox.write("prod.yaml", {"endpoints": [item(name) for name in NINE]})
    sandbox.write("dev.yaml", {"endpoints": [item("e0", image="dev:1"), item("dev")]})
    sandbox.apply("-f", "prod.yaml")
    return sandbox


def asks(sandbox: Sandbox, *args: str, says: tuple[str, ...] = ()) -> None:
    """plan and apply end with 3, show the plan, and change nothing."""
    before, writes = sandbox.live(), len(sandbox.sent())
    records = state(sandbox)["endpoints"]
    for words in (("plan",), ("apply", "--auto-approve"), ("destroy", "--auto-approve")):
        ran = sandbox.run(*args, *words)
        assert ran.code == 3, (words, ran.out, ran.err)
        assert "Plan: " in ran.out or "Refused: the inventory was written from" in ran.out
        assert sandbox.run(*args, *words, "--json").codes == ["other-files"]
        for text in says:
            assert text in ran.err
        assert "--allow-other-files" in ran.err
    assert (sandbox.live(), len(sandbox.sent()), state(sandbox)["endpoints"]) == (before, writes, records)


def test_other_files_ask_first(prod: Sandbox) -> None:
    """The plan is shown with both sets and the complete command; with the flag the new set is recorded."""
    assert state(prod)["files"] == ["prod.yaml"]
    asks(prod, "-f", "dev.yaml", says=("-f prod.yaml", "-f dev.yaml"))
    ran = prod.run("-f", "dev.yaml", "apply", "--auto-approve")
    assert "reconciler -f dev.yaml apply --allow-other-files" in ran.err
    prod.apply("-f", "dev.yaml", "--allow-other-files")
    assert set(prod.live()) == {"e0", "dev"}
    assert state(prod)["files"] == ["dev.yaml"]
    assert prod.run("-f", "dev.yaml", "plan", "--detailed-exitcode").code == 0
    asks(prod, "-f", "prod.yaml")


@pytest.mark.parametrize(
    "args",
    [
        ("-f", "prod.yaml", "-f", "dev.yaml"),
        ("-f", "copy.yaml"),
        ("-f", "folder"),
        (),
        ("-C", "other", "--state", "../state/novita.json", "-f", "prod.yaml"),
    ],
)
def test_each_other_set_asks(prod: Sandbox, args: tuple[str, ...]) -> None:
    """An overlay, a copy, a folder, the usual search, the same name under another root."""
    for name in ("copy.yaml", "folder/prod.yaml", "endpoints.yaml", "other/prod.yaml"):
        prod.write(name, (prod.root / "prod.yaml").read_text())
    shutil.copy(prod.root / "specs.yaml", prod.root / "other/specs.yaml")
    asks(prod, *args)


def test_one_root_for_each_inventory(sandbox: Sandbox) -> None:
    """Two folders with the usual search and one inventory: what is declared in one is not the other's."""
    for folder, name in (("one", "chat"), ("two", "embed")):
        sandbox.write(f"{folder}/endpoints.yaml", {"endpoints": [item(name)]})
        shutil.copy(sandbox.root / "specs.yaml", sandbox.root / folder / "specs.yaml")
    sandbox.apply("-C", "one", "--state", "../state/novita.json")
    asks(sandbox, "-C", "two", "--state", "../state/novita.json")
    assert (
        sandbox.run("-C", "one", "--state", "../state/novita.json", "plan", "--detailed-exitcode").code == 0
    )


@pytest.mark.parametrize("made", [("-f", "prod.yaml"), ("-f", "./prod.yaml"), ("-f", "ABSOLUTE")])
@pytest.mark.parametrize(
    "args",
    [
        ("-f", "prod.yaml"),
        ("-f", "./endpoints/../prod.yaml"),
        ("-f", "ABSOLUTE"),
        ("-f", "link.yaml"),
        ("-f", "prod.yaml", "--target", "e1"),
    ],
)
def test_another_spelling_is_the_same_set(
    sandbox: Sandbox, made: tuple[str, ...], args: tuple[str, ...]
) -> None:
    """Relative, absolute, by a link, from elsewhere with -C."""
    sandbox.write("prod.yaml", {"endpoints": [item("e1")]})
    (sandbox.root / "endpoints").mkdir()
    (sandbox.root / "link.yaml").symlink_to("prod.yaml")

    def spelled(words: tuple[str, ...]) -> list[str]:
        return [str(sandbox.root / "prod.yaml") if word == "ABSOLUTE" else word for word in words]

    sandbox.apply(*spelled(made))
    before = state(sandbox)
    for words in (args, ("-C", str(sandbox.root), *args), ("-C", f"../{sandbox.root.name}", *args)):
        assert sandbox.run(*spelled(words), "plan", "--detailed-exitcode").code == 0
        sandbox.apply(*spelled(words))
    assert state(sandbox) == before


def test_the_checkout_may_move(sandbox: Sandbox, tmp_path: Path) -> None:
    """On another machine, or further down in the repository, the set is the same."""
    sandbox.write("base.yaml", {"endpoints": [item("e1")]})
    sandbox.write("live/prod.yaml", {"endpoints": [{"endpoint": "e1", "replicas": 2}]})
    sandbox.apply("-f", "base.yaml", "-f", "live/prod.yaml")
    there = tmp_path / "ci" / "build-7"
    shutil.copytree(sandbox.root, there)
    sandbox.monkeypatch.chdir(there)
    args = ("-f", "base.yaml", "-f", "live/prod.yaml")
    assert sandbox.run(*args, "plan", "--detailed-exitcode").code == 0
    assert sandbox.run("-f", "base.yaml", "plan").code == 3
    os.chdir(sandbox.root)


def test_the_usual_search_may_grow_and_move(sandbox: Sandbox) -> None:
    """A second file, endpoints.yaml moved into endpoints/, and `-f` with the same file are the same set."""
    sandbox.declare(item("e1"))
    sandbox.apply()
    assert state(sandbox)["files"] == []
    assert sandbox.run("-f", "endpoints.yaml", "plan", "--detailed-exitcode").code == 0
    sandbox.write("endpoints/more.yaml", {"endpoints": [item("e2")]})
    sandbox.apply()
    assert sandbox.run("-f", "endpoints.yaml", "plan").code == 3, "that is a part of it now"
    (sandbox.root / "endpoints.yaml").rename(sandbox.root / "endpoints/all.yaml")
    assert sandbox.run("plan", "--detailed-exitcode").code == 0


def test_named_files_that_the_search_finds(sandbox: Sandbox) -> None:
    """Who has named the only file may leave the naming, and add others then; the way back asks."""
    sandbox.declare(item("e1"))
    sandbox.apply("-f", "endpoints.yaml")
    assert sandbox.run("plan", "--detailed-exitcode").code == 0
    sandbox.write("endpoints/more.yaml", {"endpoints": [item("e2")]})
    sandbox.apply()
    assert state(sandbox)["files"] == []
    assert sandbox.run("-f", "endpoints.yaml", "plan").code == 3


def test_nothing_recorded_nothing_asked(prod: Sandbox) -> None:
    """After a destroy, and with another inventory, any files will do."""
    prod.write("dev.yaml", {"endpoints": [item("dev")]})
    prod.apply("-f", "dev.yaml", "--state", "state/dev.json")
    assert prod.run("-f", "dev.yaml", "--state", "state/dev.json", "destroy", "--yes").code == 0
    assert (
        "other-files" not in prod.run("-f", "prod.yaml", "--state", "state/dev.json", "plan", "--json").codes
    )


def test_who_only_looks_is_told(prod: Sandbox) -> None:
    """drift says it as a note; list, status and by-hand commands are not about files."""
    ran = prod.run("-f", "dev.yaml", "drift")
    assert ran.code in (0, 2)
    assert "Note: the inventory was written from -f prod.yaml, and this run reads -f dev.yaml" in ran.err
    for words in (("list",), ("status", "e1"), ("state", "list")):
        ran = prod.run("-f", "dev.yaml", *words)
        assert (ran.code, "other" in ran.err) == (0, False)
    assert prod.run("-f", "dev.yaml", "scale", "e1", "2", "--yes").code == 0
    assert state(prod)["files"] == ["prod.yaml"]
    assert prod.run("-f", "dev.yaml", "state", "rebuild").code == 3
    assert set(prod.inventory) == set(NINE)


def test_the_example_cannot_turn_dev_into_prod(sandbox: Sandbox) -> None:
    """Whatever the user forgets or mixes up: no command of one environment changes the other one."""
    for path in (ROOT / "examples/environments").glob("*.yaml"):
        sandbox.write(path.name, path.read_text())
    sandbox.monkeypatch.setenv("HF_TOKEN", "hf_x")
    for name in ("dev", "prod"):
        assert sandbox.run("-e", name, "apply", "--yes").code == 0
    assert set(sandbox.live()) == {"chat-dev", "embed-dev", "chat", "embed"}
    writes = len(sandbox.sent())
    for command, code in (
        ("apply --yes", 1),
        ("-f base.yaml -f prod.yaml apply --yes", 1),
        ("-e dev --state state/prod.json apply --yes", 3),
        ("-e prod --state state/dev.json apply --yes", 3),
        ("-e prod -f base.yaml -f dev.yaml apply --yes", 3),
        ("-e dev -f base.yaml -f prod.yaml apply --yes", 3),
        ("-e prod destroy --yes", 3),
        ("-e dev delete chat-dev --state state/prod.json --yes", 3),
    ):
        assert sandbox.run(*command.split()).code == code, command
    assert len(sandbox.sent()) == writes


def test_a_saved_plan_keeps_the_consent(prod: Sandbox) -> None:
    """`plan --allow-other-files --out` is reviewed, and then performed as it is."""
    assert prod.run("-f", "dev.yaml", "plan", "--out", "no.plan").code == 3
    assert prod.run("apply", "no.plan").code == 3
    assert prod.run("-f", "dev.yaml", "plan", "--allow-other-files", "--out", "yes.plan").code == 0
    assert prod.run("apply", "yes.plan").code == 0
    assert set(prod.live()) == {"e0", "dev"}


@pytest.mark.parametrize("left", [(), ("files",), ("account",), ("files", "root", "account")])
def test_an_older_inventory_is_completed_by_the_next_apply(sandbox: Sandbox, left: tuple[str, ...]) -> None:
    """Also by one with nothing to do; the one after it writes nothing."""
    sandbox.write("prod.yaml", {"endpoints": [item("e1")]})
    sandbox.apply("-f", "prod.yaml")
    whole = state(sandbox)
    assert set(whole) == {"format", "base_url", "account", "root", "files", "endpoints"}
    old = {key: value for key, value in whole.items() if key in ("base_url", "endpoints")}
    save(
        sandbox,
        {key: value for key, value in whole.items() if key not in left} if left else {**old, "format": 1},
    )
    assert sandbox.run("-f", "prod.yaml", "plan", "--detailed-exitcode").code == 0
    sandbox.apply("-f", "prod.yaml")
    assert state(sandbox) == whole
    before = {name: data for name, data in sandbox.files().items() if "lock" not in name}
    sandbox.apply("-f", "prod.yaml")
    assert {name: data for name, data in sandbox.files().items() if "lock" not in name} == before


def test_a_run_that_was_killed_has_said_whose_it_is(sandbox: Sandbox) -> None:
    """The journal of a first apply that never folded knows the files and the account."""
    sandbox.write("prod.yaml", {"endpoints": [item("e1"), item("e2")]})
    sandbox.write("dev.yaml", {"endpoints": [item("dev")]})
    sandbox.killed("create", "-f", "prod.yaml", "--parallelism", "1", when="before", nth=2)
    assert not (sandbox.root / "state/novita.json").exists()
    ran = sandbox.run("-f", "dev.yaml", "plan", "--json")
    assert (ran.code, ran.actions["e1"]) == (3, "delete")
    assert "other-files" in ran.codes


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("-f", "prod.yaml"), ("-f", "production.yaml")),
        (("-f", "prod.yaml"), ("-f", "envs/live/prod.yaml")),
        (("-f", "prod.yaml"), ("-f", "envs")),
        (("-f", "prod.yaml"), ()),
        ((), ("-f", "production.yaml")),
    ],
)
def test_a_file_may_be_renamed_or_moved(sandbox: Sandbox, old: tuple[str, ...], new: tuple[str, ...]) -> None:
    """The old file is gone, and the plan is empty: nothing is asked, and the next apply notes the new name.

    Renamed and changed at once, or only looked at in part, it asks.
    """
    source = sandbox.root / (old[1] if old else "endpoints.yaml")
    target = sandbox.root / (new[1] if new else "endpoints.yaml")
    target = target if target.suffix else target / "prod.yaml"
    sandbox.write(source.name, {"endpoints": [item("e1"), item("e2")]})
    sandbox.apply(*old)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    assert sandbox.run(*new, "plan").code == 3, "both are there"
    source.unlink()
    assert sandbox.run(*new, "plan", "--detailed-exitcode").code == 0
    assert sandbox.run(*new, "--target", "e1", "plan").code == 3
    whole = target.read_text()
    target.write_text(json.dumps({"endpoints": [item("e1")]}))
    asks(sandbox, *new)
    target.write_text(whole)
    sandbox.apply(*new)
    target.write_text(json.dumps({"endpoints": [item("e1")]}))
    assert sandbox.run(*new, "plan").code == 0


def test_the_advice_can_be_typed(prod: Sandbox) -> None:
    """A saved plan is planned anew with the flag; whoever only looks is told of no flag that is not there."""
    assert prod.run("-f", "dev.yaml", "plan", "--out", "dev.plan").code == 3
    ran = prod.run("apply", "dev.plan")
    assert "reconciler -f dev.yaml plan --out dev.plan --allow-other-files, and apply that" in ran.err
    assert "--allow" not in prod.run("-f", "dev.yaml", "drift").err
    words = ("-f", "dev.yaml", "rollback", "e0", "1", "--yes")
    assert "the same command with --allow-other-files" in prod.run(*words).err
    assert prod.run(*words, "--allow-other-files").code == 0
    assert prod.run("-f", "dev.yaml", "plan", "--out", "dev.plan", "--allow-other-files").code == 0
    assert prod.run("apply", "dev.plan").code == 0


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("words", [("--target", "e0"), ("--exclude", "e[1-9]", "--exclude", "dev")])
def test_a_part_does_not_take_over_the_rest(prod: Sandbox, words: tuple[str, ...], saved: bool) -> None:
    """The consent to a run about one endpoint is none to delete the others next time."""
    if saved:
        flag = "--allow-other-files"
        assert prod.run("-f", "dev.yaml", *words, "plan", flag, "--out", "a.plan").code == 0
        assert prod.run("apply", "a.plan").code == 0
    else:
        prod.apply("-f", "dev.yaml", *words, "--allow-other-files")
    assert prod.live()["e0"]["image"]["image"] == "dev:1"
    assert state(prod)["files"] == ["prod.yaml"]
    asks(prod, "-f", "dev.yaml")


def test_a_rollback_does_not_take_over_the_rest(prod: Sandbox) -> None:
    prod.write("prod.yaml", {"endpoints": [item("e0", image="prod:2"), *map(item, NINE[1:])]})
    prod.apply("-f", "prod.yaml")
    ran = prod.run("-f", "dev.yaml", "rollback", "e0", "1", "--yes", "--allow-other-files")
    assert (ran.code, prod.live()["e0"]["image"]["image"]) == (0, "ubuntu:22.04")
    assert state(prod)["files"] == ["prod.yaml"]
    asks(prod, "-f", "dev.yaml")
