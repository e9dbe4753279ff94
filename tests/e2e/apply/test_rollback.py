"""The versions that were applied, and the rollback to each: planned, approved and guarded like any plan."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.simulator import Fault
from tests.e2e.sandbox import KEY, Keys, Sandbox, item

HISTORY = "state/novita.json.history.jsonl"


def known(sandbox: Sandbox, *names: str) -> list[tuple[str, int, str]]:
    """(name, version, action) of every version that `history` tells of, by name and the oldest first."""
    ran = sandbox.run("history", *names, "--json")
    assert ran.code == 0, ran.err
    return sorted((one["name"], one["version"], one["action"]) for one in ran.document)


def applied(sandbox: Sandbox, *versions: dict[str, Any]) -> None:
    """`chat` declared and applied as each of these, one after the other."""
    for fields in versions:
        sandbox.declare(item("chat", **fields))
        sandbox.apply()


def test_every_write_is_a_version(sandbox: Sandbox) -> None:
    """Create, update, scale, replace, adopt and delete make one each, numbered by endpoint."""
    assert sandbox.run("history").out == ""
    assert "Nothing has been applied with this inventory yet." in sandbox.run("history").err
    sandbox.sim.world.console_create(name="theirs", appName="theirs")
    applied(sandbox, {}, {"image": "ubuntu:24.04"}, {"image": "ubuntu:24.04", "replicas": 2})
    sandbox.declare(item("chat", specName="large"), item("embed"), item("theirs", replicas=2))
    sandbox.apply("--adopt")
    sandbox.declare(item("chat", specName="large"), item("theirs", replicas=2))
    sandbox.apply()
    assert known(sandbox) == [
        ("chat", 1, "create"),
        ("chat", 2, "update"),
        ("chat", 3, "scale"),
        ("chat", 4, "replace"),
        ("embed", 1, "create"),
        ("embed", 2, "delete"),
        ("theirs", 1, "adopt"),
    ]
    assert known(sandbox, "embed") == [("embed", 1, "create"), ("embed", 2, "delete")]
    assert known(sandbox, "--target", "t*") == [("theirs", 1, "adopt")]
    ran = sandbox.run("history", "chat")
    lines = ran.out.splitlines()
    assert lines[0] == "chat"
    assert [line.split()[0] for line in lines if line[:5].strip().isdigit()] == ["4", "3", "2", "1"]
    document = sandbox.run("history", "chat", "--json").document
    assert [one["version"] for one in document] == [4, 3, 2, 1]
    assert document[0]["id"] == sandbox.id("chat")
    assert document[1]["fields"]["workerConfig"]["minNum"] == 2


def test_what_failed_is_no_version(sandbox: Sandbox) -> None:
    """Only what was done can be gone back to."""
    applied(sandbox, {})
    sandbox.sim.faults.add(Fault(operation="update", status=400, reason="IMAGE_NOT_FOUND"))
    sandbox.declare(item("chat", image="missing:1"))
    assert sandbox.run("apply", "--auto-approve").code == 4
    assert known(sandbox) == [("chat", 1, "create")]


def test_the_last_twenty_are_kept(sandbox: Sandbox) -> None:
    """Older ones go, their numbers are not given again, and the last one before the oldest is unknown."""
    applied(sandbox, *({"replicas": number} for number in range(1, 24)))
    assert [number for _, number, _ in known(sandbox)] == list(range(4, 24))
    ran = sandbox.run("rollback", "chat", "3", "--auto-approve")
    assert ran.code == 1
    assert "`chat` has no version 3; known: 4, 5," in ran.err
    assert sandbox.run("rollback", "chat", "4", "--auto-approve").code == 0
    assert sandbox.live()["chat"]["workerConfig"]["minNum"] == 4


def test_back_to_the_one_before(sandbox: Sandbox) -> None:
    """Without a number it is the last one that differs; it is planned, shown and asked about."""
    applied(sandbox, {"image": "ubuntu:22.04"}, {"image": "ubuntu:24.04", "env": {"A": "1"}})
    made = sandbox.id("chat")
    writes = len(sandbox.sent())
    ran = sandbox.run("rollback", "chat", typed="no\n")
    assert ran.code == 1
    assert "Rolling back chat to version 1, applied 20" in ran.err
    assert "the next apply undoes the rollback" in ran.err
    assert "reconciler rollback chat 1 --write" in ran.err
    assert "# (rollback to version 1)" in ran.out
    assert "in the YAML" not in ran.out
    assert '"ubuntu:24.04" -> "ubuntu:22.04"' in ran.out
    assert "Do you want to perform these actions?" in ran.err
    assert len(sandbox.sent()) == writes
    assert sandbox.run("rollback", "chat", typed="yes\n").code == 0
    live = sandbox.live()["chat"]
    assert (live["id"], live["image"]["image"], live["envs"]) == (made, "ubuntu:22.04", [])
    assert known(sandbox)[-1] == ("chat", 3, "update")
    assert sandbox.plan().actions == {"chat": "update"}, "the YAML says otherwise"
    sandbox.declare(item("chat", image="ubuntu:22.04"))
    assert sandbox.plan().code == 0
    assert sandbox.run("rollback", "chat", "--auto-approve").code == 0
    assert sandbox.live()["chat"]["image"]["image"] == "ubuntu:24.04", "twice is there and back"


def test_back_by_number(sandbox: Sandbox) -> None:
    """Any known version will do; the one that is live is no change."""
    applied(sandbox, {"replicas": 1}, {"replicas": 2}, {"replicas": 3})
    assert sandbox.run("rollback", "chat", "1", "--auto-approve").code == 0
    assert sandbox.live()["chat"]["workerConfig"]["minNum"] == 1
    ran = sandbox.run("rollback", "chat", "1", "--auto-approve")
    assert ran.code == 0
    assert "No changes." in ran.out
    assert [number for _, number, _ in known(sandbox)] == [1, 2, 3, 4]


def test_others_are_left_alone(sandbox: Sandbox) -> None:
    """A rollback is about one endpoint, whatever else is pending."""
    sandbox.declare(item("chat"), item("embed"), item("old"))
    sandbox.apply()
    sandbox.declare(item("chat", replicas=2), item("embed"), item("old"))
    sandbox.apply()
    sandbox.declare(item("chat", replicas=2), item("embed", replicas=2), item("new"))
    ran = sandbox.run("rollback", "chat", "--auto-approve", "--json")
    assert ran.code == 0
    assert ran.actions == {"chat": "scale"}
    assert ran.document["results"][0]["outcome"] == "done"
    assert sandbox.plan().actions == {"chat": "scale", "embed": "scale", "new": "create", "old": "delete"}


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("history", "nobody"), 1, "`nobody` has no versions in the history"),
        (("history", "chta"), 1, "Did you mean `chat`?"),
        (("state", "rm", "chta"), 1, "Did you mean `chat`?"),
        (("rollback", "nobody"), 1, "`nobody` has no versions in the history"),
        (("rollback", "chat"), 1, "`chat` has no version that differs from the live endpoint; known: 1"),
        (("rollback", "chat", "7"), 1, "`chat` has no version 7; known: 1"),
        (("rollback", "chat", "0"), 64, "0 is not in the range"),
        (("rollback", "chat", "one"), 64, "not a valid integer"),
        (("rollback",), 64, "NAME"),
        (("rollback", "chat", "1", "--target", "chat"), 64, "rollback takes the NAME of one endpoint"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_is_not_known(sandbox: Sandbox, args: tuple[str, ...], code: int, says: str) -> None:
    """An unknown name or version is told with what is known, and nothing is changed."""
    applied(sandbox, {})
    before = len(sandbox.sim.requests)
    ran = sandbox.run(*args)
    assert ran.code == code
    assert says in ran.err
    document = sandbox.run(*args, "--json")
    assert document.code == document.document["exit_code"] == code
    assert {received.operation for received in sandbox.sim.requests[before:]} <= {"get", "list", "limit"}


def test_secrets_come_back_through_their_references(sandbox: Sandbox) -> None:
    """No value is on disk; going back reads each secret from where the version had it from."""
    sandbox.monkeypatch.setenv("TOKEN", "first-secret")
    sandbox.monkeypatch.setenv("OTHER", "other-secret")
    envs = {"T": "Bearer ${env:TOKEN} end", "reference": "a-literal"}
    applied(
        sandbox,
        {"env": envs, "command": "serve --key ${env:OTHER}"},
        {"env": {"reference": "x"}},
        {"env": {"reference": "another-literal"}},
    )
    text = (sandbox.root / HISTORY).read_text()
    assert "Bearer ${env:TOKEN} end" in text
    assert not [secret for secret in ("first-secret", "other-secret", KEY) if secret in text]
    assert "-secret" not in sandbox.run("history", "--json").out
    sandbox.monkeypatch.setenv("TOKEN", "second-secret")
    ran = sandbox.run("rollback", "chat", "1", "--auto-approve")
    assert ran.code == 0, ran.err
    assert "-secret" not in ran.out + ran.err
    live = sandbox.live()["chat"]
    assert {one["key"]: one["value"] for one in live["envs"]} == {
        "T": "Bearer second-secret end",
        "reference": "a-literal",
    }
    assert live["image"]["command"] == "serve --key other-secret"
    assert sandbox.run("rollback", "chat", "2", "--auto-approve").code == 0
    assert sandbox.live()["chat"]["envs"] == [{"key": "reference", "value": "x"}]
    sandbox.monkeypatch.delenv("TOKEN")
    ran = sandbox.run("rollback", "chat", "1", "--auto-approve")
    assert ran.code == 1
    assert "the environment variable TOKEN is not set" in ran.err


@pytest.mark.parametrize("alive", [True, False])
def test_an_endpoint_that_is_no_longer_declared(sandbox: Sandbox, alive: bool) -> None:
    """It comes back. If it was recorded, the next apply deletes it; if not, it counts as imperative."""
    applied(sandbox, {"replicas": 1}, {"replicas": 2})
    (sandbox.root / "endpoints.yaml").unlink()
    if not alive:
        assert sandbox.run("destroy", "--auto-approve").code == 0
    ran = sandbox.run("rollback", "chat", "--auto-approve", "--json")
    assert ran.code == 0, ran.err
    assert ran.actions == {"chat": "scale" if alive else "create"}
    assert sandbox.live()["chat"]["workerConfig"]["minNum"] == (1 if alive else 2)
    assert ("no-longer-declared" in ran.codes) is alive
    sandbox.declare(item("other"))
    assert sandbox.plan().actions == {"other": "create", **({"chat": "delete"} if alive else {})}


def test_an_imperative_endpoint_stays_one(sandbox: Sandbox) -> None:
    """No plan deletes it after a rollback."""
    sandbox.run("deploy", "tmp", "--image", "a:1", "--spec", "small", "--yes")
    sandbox.run("update", "tmp", "--image", "a:2", "--yes")
    ran = sandbox.run("rollback", "tmp", "--yes")
    assert (ran.code, "next apply" in ran.err) == (0, False)
    sandbox.declare(item("other"))
    assert sandbox.plan().actions == {"other": "create"}


def test_the_version_that_is_live_is_passed_over(sandbox: Sandbox) -> None:
    """E5: what is live counts, also after a change in the console."""
    applied(sandbox, {"replicas": 1}, {"replicas": 2}, {"replicas": 3})
    sandbox.sim.world.console_update(sandbox.id("chat"), workerConfig={"minNum": 2, "maxNum": 2})
    ran = sandbox.run("rollback", "chat", "--yes")
    assert "Rolling back chat to version 3" in ran.err
    assert "  # rollback" in ran.out
    ran = sandbox.run("rollback", "chat", "--yes")
    assert "Rolling back chat to version 2" in ran.err
    assert [version["command"] for version in sandbox.run("history", "--json").document[:2]] == [
        "rollback to version 2",
        "rollback to version 3",
    ]


YAML = """\
# the fleet
defaults:
  specName: small
endpoints:
  - endpoint: chat   # the main one
    image: ubuntu:24.04   # keep in step with the chart
    maxReplicas: 4
    env:
      T: "${env:TOKEN}"
      MODE: fast
  - {endpoint: other, image: x}
"""


def test_write_changes_the_yaml_too(sandbox: Sandbox) -> None:
    """E5: comments and references stay, a diff is shown, and the next apply has nothing to do."""
    sandbox.monkeypatch.setenv("TOKEN", "s3cret-value")
    before = YAML.replace("24.04", "22.04").replace("maxReplicas: 4", "maxReplicas: 2")
    before = before.replace("      MODE: fast\n", "      MODE: slow\n      OLD: x\n")
    for text in (before, YAML):
        sandbox.write("endpoints.yaml", text)
        sandbox.apply()
    ran = sandbox.run("rollback", "chat", "--write", typed="no\n")
    assert ran.code == 1
    assert (sandbox.root / "endpoints.yaml").read_text() == YAML
    ran = sandbox.run("rollback", "chat", "--write", "--yes")
    assert ran.code == 0, ran.err
    assert "+    image: ubuntu:22.04   # keep in step with the chart" in ran.out
    assert "Wrote endpoints.yaml." in ran.err
    assert "next apply" not in ran.err
    assert (sandbox.root / "endpoints.yaml").read_text() == before
    assert sandbox.plan().code == 0
    ran = sandbox.run("rollback", "chat", "1", "--write", "--yes")
    assert (ran.code, "The YAML declares that version already." in ran.err) == (0, True)


def test_write_refuses_what_it_cannot_write(sandbox: Sandbox) -> None:
    """E5: a reference that says something else, and an endpoint that is in no file; nothing is sent."""
    sandbox.declare(item("chat", image="ubuntu:22.04"))
    sandbox.apply()
    sandbox.monkeypatch.setenv("TAG", "24.04")
    sandbox.declare(item("chat", image="ubuntu:${env:TAG}"))
    sandbox.apply()
    writes = len(sandbox.sent())
    before = (sandbox.root / "endpoints.yaml").read_text()
    ran = sandbox.run("rollback", "chat", "1", "--write", "--yes")
    assert (ran.code, len(sandbox.sent())) == (1, writes)
    assert "`image` is ubuntu:${env:TAG}, and references are not overwritten" in ran.err
    assert (sandbox.root / "endpoints.yaml").read_text() == before
    sandbox.declare(item("other"))
    ran = sandbox.run("rollback", "chat", "1", "--write", "--yes")
    assert (ran.code, len(sandbox.sent())) == (1, writes)
    assert "`chat` is not declared, so there is no file to edit" in ran.err


def test_write_does_not_overwrite_another_edit(sandbox: Sandbox) -> None:
    """The file was changed while the question was open."""
    applied(sandbox, {"replicas": 1}, {"replicas": 2})
    path = sandbox.root / "endpoints.yaml"
    keys = Keys("yes\n", before=lambda: path.write_text(path.read_text() + "\n"))
    ran = sandbox.run("rollback", "chat", "--write", typed=keys)
    assert ran.code == 1
    assert "endpoints.yaml was changed during the rollback and is not written" in ran.err
    assert sandbox.live()["chat"]["workerConfig"]["minNum"] == 1


@pytest.mark.parametrize("declared", [True, False])
def test_prevent_destroy_holds(sandbox: Sandbox, declared: bool) -> None:
    """A rollback that replaces is refused for what is protected, declared today or when it last was."""
    protected = {"lifecycle": {"preventDestroy": True}}
    applied(sandbox, {}, {"specName": "large"}, {"specName": "large", **protected})
    if not declared:
        sandbox.declare(item("other"))
    made = sandbox.id("chat")
    ran = sandbox.run("rollback", "chat", "1", "--auto-approve", "--json")
    assert ran.code == 3
    assert ran.codes == ["declared-otherwise" if declared else "no-longer-declared", "prevent-destroy"]
    assert ran.actions == {"chat": "replace"}
    assert sandbox.id("chat") == made
    assert sandbox.run("rollback", "chat", "2", "--auto-approve").code == 0
    sandbox.declare(item("other"))
    assert sandbox.plan().code == 3, "it is protected still"


def test_guards_hold(sandbox: Sandbox) -> None:
    """--allow-delete is for exactly the replacement that going back takes."""
    applied(sandbox, {}, {"specName": "large"})
    assert sandbox.run("rollback", "chat", "--auto-approve", "--allow-delete", "2").code == 3
    assert sandbox.run("rollback", "chat", "--auto-approve", "--allow-delete", "1").code == 0
    assert sandbox.live()["chat"]["products"] == [{"id": "SL-serverless-3"}]


def test_ignored_fields_are_not_brought_back(sandbox: Sandbox) -> None:
    """What today's YAML ignores stays as it is."""
    applied(sandbox, {"image": "ubuntu:22.04"})
    applied(sandbox, {"image": "ubuntu:24.04", "lifecycle": {"ignoreChanges": ["replicas"]}})
    scaled = {"minNum": 7, "maxNum": 7}
    sandbox.sim.world.console_update(sandbox.id("chat"), workerConfig=scaled)
    assert sandbox.run("rollback", "chat", "--auto-approve").code == 0
    live = sandbox.live()["chat"]
    assert live["image"]["image"] == "ubuntu:22.04"
    assert live["workerConfig"].items() >= scaled.items()


def test_a_history_that_cannot_be_written_is_a_warning(sandbox: Sandbox) -> None:
    """The apply counts, and its document says what could not be kept."""
    (sandbox.root / HISTORY).mkdir(parents=True)
    sandbox.declare(item("chat"))
    ran = sandbox.run("apply", "--auto-approve")
    assert ran.code == 0
    assert "Apply complete! Resources: 1 added" in ran.out
    assert f"Warning: state/{Path(HISTORY).name} is a directory" in ran.err
    assert f"mv state/{Path(HISTORY).name} state/{Path(HISTORY).name}.old" in ran.err
    assert "only their history is not" in ran.err
    sandbox.declare(item("chat", replicas=2))
    ran = sandbox.run("apply", "--auto-approve", "--json")
    assert ran.code == ran.document["exit_code"] == 0
    assert ran.codes == ["inventory-unreadable"]
    ran = sandbox.run("history")
    assert ran.code == 1
    assert "is a directory" in ran.err


def test_lines_that_nobody_can_read_are_passed_over(sandbox: Sandbox) -> None:
    """A torn, a foreign and a bent line cost themselves alone."""
    applied(sandbox, {"replicas": 1})
    line = json.loads((sandbox.root / HISTORY).read_text())
    bent = [{**line, "name": 1}, {**line, "number": "2"}, {**line, "fields": []}, {**line, "more": 1}, 1]
    sandbox.write(HISTORY, "".join(json.dumps(one) + "\n" for one in (*bent, line)) + '{"torn')
    applied(sandbox, {"replicas": 2})
    assert known(sandbox) == [("chat", 1, "create"), ("chat", 2, "scale")]


def test_a_rollback_that_was_cut_off_is_resumed_as_one(sandbox: Sandbox) -> None:
    """What was approved was that version: --resume makes it, although the YAML says otherwise."""
    applied(sandbox, {}, {"specName": "large"})
    sandbox.killed("delete", command=("rollback", "chat", "--auto-approve"))
    assert sandbox.live() == {}
    ran = sandbox.run("apply", "--resume")
    assert ran.code == 0, ran.err
    assert sandbox.live()["chat"]["products"] == [{"id": "SL-serverless-3"}]
    assert sandbox.run("apply", "--resume").code == 1
    sandbox.killed("delete", when="before", command=("rollback", "chat", "2", "--auto-approve"))
    (sandbox.root / HISTORY).unlink()
    ran = sandbox.run("apply", "--resume")
    assert ran.code == 1
    assert "`chat` has no versions in the history" in ran.err
