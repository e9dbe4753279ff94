"""The versions that were applied, and the way back to each: planned, approved and guarded like any plan."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.simulator import Fault
from tests.e2e.desk import KEY, Sandbox, item

HISTORY = "state/novita.json.history.jsonl"


def known(desk: Sandbox, *names: str) -> list[tuple[str, int, str]]:
    """(name, version, action) of every version that `history` tells of."""
    ran = desk.run("history", *names, "--json")
    assert ran.code == 0, ran.err
    return [(one["name"], one["version"], one["action"]) for one in ran.document]


def applied(desk: Sandbox, *versions: dict[str, Any]) -> None:
    """`chat` declared and applied as each of these, one after the other."""
    for fields in versions:
        desk.declare(item("chat", **fields))
        desk.apply()


def test_every_write_is_a_version(desk: Sandbox) -> None:
    """Create, update, scale, replace and adopt make one each, numbered by endpoint; a delete makes none."""
    assert desk.run("history").out == ""
    assert "Nothing has been applied with this inventory yet." in desk.run("history").err
    desk.sim.world.console_create(name="theirs", appName="theirs")
    applied(desk, {}, {"image": "ubuntu:24.04"}, {"image": "ubuntu:24.04", "replicas": 2})
    desk.declare(item("chat", specName="large"), item("embed"), item("theirs", replicas=2))
    desk.apply("--adopt")
    desk.declare(item("chat", specName="large"), item("theirs", replicas=2))
    desk.apply()
    assert known(desk) == [
        ("chat", 1, "create"),
        ("chat", 2, "update"),
        ("chat", 3, "scale"),
        ("chat", 4, "replace"),
        ("embed", 1, "create"),
        ("theirs", 1, "adopt"),
    ]
    assert known(desk, "embed") == [("embed", 1, "create")]
    assert known(desk, "--target", "t*") == [("theirs", 1, "adopt")]
    ran = desk.run("history", "chat")
    head, newest, *_, oldest = ran.out.splitlines()
    assert head == "chat"
    assert newest.split()[:1] + newest.split()[2:] == ["4", "replace", "1-1", "workers", "ubuntu:22.04"]
    assert oldest.split()[0] == "1"
    document = desk.run("history", "chat", "--json").document
    assert document[-1]["id"] == desk.id("chat")
    assert document[2]["fields"]["workerConfig"]["minNum"] == 2


def test_what_failed_is_no_version(desk: Sandbox) -> None:
    """Only what was done can be gone back to."""
    applied(desk, {})
    desk.sim.faults.add(Fault(operation="update", status=400, reason="IMAGE_NOT_FOUND"))
    desk.declare(item("chat", image="missing:1"))
    assert desk.run("apply", "--auto-approve").code == 4
    assert known(desk) == [("chat", 1, "create")]


def test_the_last_twenty_are_kept(desk: Sandbox) -> None:
    """Older ones go, their numbers are not given again, and the last one before the oldest is unknown."""
    applied(desk, *({"replicas": number} for number in range(1, 24)))
    assert [number for _, number, _ in known(desk)] == list(range(4, 24))
    ran = desk.run("rollback", "chat", "3", "--auto-approve")
    assert ran.code == 1
    assert "`chat` has no version 3; known: 4, 5," in ran.err
    assert desk.run("rollback", "chat", "4", "--auto-approve").code == 0
    assert desk.live()["chat"]["workerConfig"]["minNum"] == 4


def test_back_to_the_one_before(desk: Sandbox) -> None:
    """Without a number it is the version before the last; it is planned, shown and asked about."""
    applied(desk, {"image": "ubuntu:22.04"}, {"image": "ubuntu:24.04", "env": {"A": "1"}})
    made = desk.id("chat")
    writes = len(desk.sent())
    ran = desk.run("rollback", "chat", typed="no\n")
    assert ran.code == 1
    assert "Rolling back chat to version 1, applied 20" in ran.err
    assert "Change the YAML as well, or the next apply undoes the rollback." in ran.err
    assert '"ubuntu:24.04" -> "ubuntu:22.04"' in ran.out
    assert "Do you want to perform these actions?" in ran.err
    assert len(desk.sent()) == writes
    assert desk.run("rollback", "chat", typed="yes\n").code == 0
    live = desk.live()["chat"]
    assert (live["id"], live["image"]["image"], live["envs"]) == (made, "ubuntu:22.04", [])
    assert known(desk)[-1] == ("chat", 3, "update")
    assert desk.plan().actions == {"chat": "update"}, "the YAML says otherwise"
    desk.declare(item("chat", image="ubuntu:22.04"))
    assert desk.plan().code == 0
    assert desk.run("rollback", "chat", "--auto-approve").code == 0
    assert desk.live()["chat"]["image"]["image"] == "ubuntu:24.04", "twice is there and back"


def test_back_by_number(desk: Sandbox) -> None:
    """Any known version will do; the one that is live is no change."""
    applied(desk, {"replicas": 1}, {"replicas": 2}, {"replicas": 3})
    assert desk.run("rollback", "chat", "1", "--auto-approve").code == 0
    assert desk.live()["chat"]["workerConfig"]["minNum"] == 1
    ran = desk.run("rollback", "chat", "1", "--auto-approve")
    assert ran.code == 0
    assert "No changes." in ran.out
    assert [number for _, number, _ in known(desk)] == [1, 2, 3, 4]


def test_others_are_left_alone(desk: Sandbox) -> None:
    """A rollback is about one endpoint, whatever else is pending."""
    desk.declare(item("chat"), item("embed"), item("old"))
    desk.apply()
    desk.declare(item("chat", replicas=2), item("embed"), item("old"))
    desk.apply()
    desk.declare(item("chat", replicas=2), item("embed", replicas=2), item("new"))
    ran = desk.run("rollback", "chat", "--auto-approve", "--json")
    assert ran.code == 0
    assert ran.actions == {"chat": "scale"}
    assert ran.document["results"][0]["outcome"] == "done"
    assert desk.plan().actions == {"chat": "scale", "embed": "scale", "new": "create", "old": "delete"}


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("history", "nobody"), 1, "`nobody` has no versions in the history"),
        (("rollback", "nobody"), 1, "`nobody` has no versions in the history"),
        (("rollback", "chat"), 1, "`chat` has no version before the last; known: 1"),
        (("rollback", "chat", "7"), 1, "`chat` has no version 7; known: 1"),
        (("rollback", "chat", "0"), 64, "0 is not in the range"),
        (("rollback", "chat", "one"), 64, "not a valid integer"),
        (("rollback",), 64, "NAME"),
        (("rollback", "chat", "1", "--target", "chat"), 64, "rollback takes the NAME of one endpoint"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_is_not_known(desk: Sandbox, args: tuple[str, ...], code: int, says: str) -> None:
    """An unknown name or version is told with what is known, and nothing is sent."""
    applied(desk, {})
    before = len(desk.sim.requests)
    ran = desk.run(*args)
    assert ran.code == code
    assert says in ran.err
    document = desk.run(*args, "--json")
    assert document.code == document.document["exit_code"] == code
    assert len(desk.sim.requests) == before


def test_secrets_come_back_through_their_references(desk: Sandbox) -> None:
    """No value is on disk; going back reads each secret from where the version had it from."""
    desk.monkeypatch.setenv("TOKEN", "first-secret")
    desk.monkeypatch.setenv("OTHER", "other-secret")
    envs = {"T": "Bearer ${env:TOKEN} end", "reference": "a-literal"}
    applied(
        desk,
        {"env": envs, "command": "serve --key ${env:OTHER}"},
        {"env": {"reference": "x"}},
        {"env": {"reference": "another-literal"}},
    )
    text = (desk.root / HISTORY).read_text()
    assert "Bearer ${env:TOKEN} end" in text
    assert not [secret for secret in ("first-secret", "other-secret", KEY) if secret in text]
    assert "-secret" not in desk.run("history", "--json").out
    desk.monkeypatch.setenv("TOKEN", "second-secret")
    ran = desk.run("rollback", "chat", "1", "--auto-approve")
    assert ran.code == 0, ran.err
    assert "-secret" not in ran.out + ran.err
    live = desk.live()["chat"]
    assert {one["key"]: one["value"] for one in live["envs"]} == {
        "T": "Bearer second-secret end",
        "reference": "a-literal",
    }
    assert live["image"]["command"] == "serve --key other-secret"
    assert desk.run("rollback", "chat", "2", "--auto-approve").code == 0
    assert desk.live()["chat"]["envs"] == [{"key": "reference", "value": "x"}]
    desk.monkeypatch.delenv("TOKEN")
    ran = desk.run("rollback", "chat", "1", "--auto-approve")
    assert ran.code == 1
    assert "the environment variable TOKEN is not set" in ran.err


@pytest.mark.parametrize("alive", [True, False])
def test_an_endpoint_that_is_no_longer_declared(desk: Sandbox, alive: bool) -> None:
    """It comes back, changed or made anew, and the warning holds: the next apply deletes it."""
    applied(desk, {"replicas": 1}, {"replicas": 2})
    (desk.root / "endpoints.yaml").unlink()
    if not alive:
        assert desk.run("destroy", "--auto-approve").code == 0
    ran = desk.run("rollback", "chat", "--auto-approve", "--json")
    assert ran.code == 0, ran.err
    assert ran.actions == {"chat": "scale" if alive else "create"}
    assert desk.live()["chat"]["workerConfig"]["minNum"] == 1
    desk.declare(item("other"))
    assert desk.plan().actions == {"chat": "delete", "other": "create"}


@pytest.mark.parametrize("declared", [True, False])
def test_prevent_destroy_holds(desk: Sandbox, declared: bool) -> None:
    """A way back that replaces is refused for what is protected, declared today or when it last was."""
    protected = {"lifecycle": {"preventDestroy": True}}
    applied(desk, {}, {"specName": "large"}, {"specName": "large", **protected})
    if not declared:
        desk.declare(item("other"))
    made = desk.id("chat")
    ran = desk.run("rollback", "chat", "1", "--auto-approve", "--json")
    assert ran.code == 3
    assert ran.codes == ["prevent-destroy"]
    assert ran.actions == {"chat": "replace"}
    assert desk.id("chat") == made
    assert desk.run("rollback", "chat", "2", "--auto-approve").code == 0
    desk.declare(item("other"))
    assert desk.plan().code == 3, "it is protected still"


def test_guards_hold(desk: Sandbox) -> None:
    """--allow-delete is for exactly the replacement that going back takes."""
    applied(desk, {}, {"specName": "large"})
    assert desk.run("rollback", "chat", "--auto-approve", "--allow-delete", "2").code == 3
    assert desk.run("rollback", "chat", "--auto-approve", "--allow-delete", "1").code == 0
    assert desk.live()["chat"]["products"] == [{"id": "SL-serverless-3"}]


def test_ignored_fields_are_not_brought_back(desk: Sandbox) -> None:
    """What today's YAML ignores stays as it is."""
    applied(desk, {"image": "ubuntu:22.04"})
    applied(desk, {"image": "ubuntu:24.04", "lifecycle": {"ignoreChanges": ["replicas"]}})
    scaled = {"minNum": 7, "maxNum": 7}
    desk.sim.world.console_update(desk.id("chat"), workerConfig=scaled)
    assert desk.run("rollback", "chat", "--auto-approve").code == 0
    live = desk.live()["chat"]
    assert live["image"]["image"] == "ubuntu:22.04"
    assert live["workerConfig"].items() >= scaled.items()


def test_a_history_that_cannot_be_written_is_a_warning(desk: Sandbox) -> None:
    """The apply counts, and its document says what could not be kept."""
    (desk.root / HISTORY).mkdir(parents=True)
    desk.declare(item("chat"))
    ran = desk.run("apply", "--auto-approve")
    assert ran.code == 0
    assert "Apply complete! Resources: 1 added" in ran.out
    assert f"Warning: Cannot write state/{Path(HISTORY).name}" in ran.err
    assert "only their history is not" in ran.err
    desk.declare(item("chat", replicas=2))
    ran = desk.run("apply", "--auto-approve", "--json")
    assert ran.code == ran.document["exit_code"] == 0
    assert ran.codes == ["inventory-unwritable"]
    ran = desk.run("history")
    assert ran.code == 1
    assert "is a directory" in ran.err


def test_lines_that_nobody_can_read_are_passed_over(desk: Sandbox) -> None:
    """A torn, a foreign and a bent line cost themselves alone."""
    applied(desk, {"replicas": 1})
    line = json.loads((desk.root / HISTORY).read_text())
    bent = [{**line, "name": 1}, {**line, "number": "2"}, {**line, "fields": []}, {**line, "more": 1}, 1]
    desk.write(HISTORY, "".join(json.dumps(one) + "\n" for one in (*bent, line)) + '{"torn')
    applied(desk, {"replicas": 2})
    assert known(desk) == [("chat", 1, "create"), ("chat", 2, "scale")]


def test_a_rollback_that_was_cut_off_is_resumed_as_one(desk: Sandbox) -> None:
    """What was approved was that version: --resume makes it, although the YAML says otherwise."""
    applied(desk, {}, {"specName": "large"})
    desk.killed("delete", command=("rollback", "chat", "--auto-approve"))
    assert desk.live() == {}
    ran = desk.run("apply", "--resume")
    assert ran.code == 0, ran.err
    assert desk.live()["chat"]["products"] == [{"id": "SL-serverless-3"}]
    assert desk.run("apply", "--resume").code == 1
    desk.killed("delete", when="before", command=("rollback", "chat", "2", "--auto-approve"))
    (desk.root / HISTORY).unlink()
    ran = desk.run("apply", "--resume")
    assert ran.code == 1
    assert "`chat` has no versions in the history" in ran.err
