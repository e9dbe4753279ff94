"""One endpoint changed by hand: planned, shown and asked about like an apply, and told what the YAML says."""

import json

import pytest

from reconciler.simulator import Fault
from tests.e2e.desk import Keys, Ran, Sandbox, item

SECRET = "typed-into-a-shell-4711"


def deploy(desk: Sandbox, name: str, *args: str) -> Ran:
    return desk.run("deploy", name, "--image", "ubuntu:22.04", "--spec", "small", "--yes", *args)


def done(ran: Ran) -> Ran:
    assert ran.code == 0, ran.err + ran.out
    return ran


def counts(desk: Sandbox, name: str) -> tuple[int, int]:
    worker = desk.live()[name]["workerConfig"]
    return worker["minNum"], worker["maxNum"]


def env(desk: Sandbox, name: str) -> dict[str, str]:
    return {one["key"]: one["value"] for one in desk.live()[name]["envs"]}


def test_a_life_without_yaml(desk: Sandbox) -> None:
    """Made, changed, scaled and deleted, with no endpoint file at all."""
    done(deploy(desk, "probe", "--replicas", "2", "--env", "A=1", "--task-timeout", "60"))
    assert counts(desk, "probe") == (2, 2)
    assert desk.inventory["probe"]["origin"] == "imperative"
    made = desk.id("probe")
    done(desk.run("update", "probe", "--image", "ubuntu:24.04", "--env", "B=2", "--yes"))
    assert desk.live()["probe"]["image"]["image"] == "ubuntu:24.04"
    assert env(desk, "probe") == {"B": "2"}
    assert desk.live()["probe"]["workerConfig"]["freeTimeout"] == 60
    done(desk.run("scale", "probe", "5", "--yes"))
    assert counts(desk, "probe") == (5, 5)
    assert desk.inventory["probe"]["origin"] == "imperative"
    done(desk.run("delete", "probe", "--yes"))
    assert desk.live() == {}
    assert desk.inventory == {}
    assert [json.loads(one.body)["id"] for one in desk.sent("update", "delete")] == [made] * 3


def test_plans_leave_alone_what_was_made_without_yaml(desk: Sandbox) -> None:
    """It is listed, never deleted, and becomes ordinary once it is declared."""
    done(deploy(desk, "probe"))
    desk.declare()
    planned = desk.plan()
    assert planned.code == 0
    assert [one["name"] for one in planned.document["unmanaged"]] == ["probe"]
    assert "prevent" not in json.dumps(planned.document["problems"])
    desk.declare(item("probe"))
    desk.apply()
    assert "origin" not in desk.inventory["probe"]
    assert len(desk.sent()) == 1


@pytest.mark.parametrize("count", [["0"], ["--min", "0"]])
def test_zero_keeps_the_most(desk: Sandbox, count: list[str]) -> None:
    """So that a request can wake it."""
    done(deploy(desk, "probe", "--replicas", "3"))
    done(desk.run("scale", "probe", *count, "--yes"))
    assert counts(desk, "probe") == (0, 3)


def test_each_count_can_be_set_by_itself(desk: Sandbox) -> None:
    """One that would leave more at least than at most is refused before anything is sent."""
    done(deploy(desk, "probe", "--min", "1", "--max", "3"))
    done(desk.run("scale", "probe", "--max", "6", "--yes"))
    assert counts(desk, "probe") == (1, 6)
    sent = len(desk.sent())
    ran = desk.run("scale", "probe", "--min", "7", "--yes", "--json")
    assert (ran.code, ran.codes) == (1, ["min-above-max"])
    assert len(desk.sent()) == sent


def test_a_name_that_lives_cannot_be_deployed(desk: Sandbox) -> None:
    """Whoever made it; both ways out are named."""
    desk.sim.world.console_create(name="theirs", appName="theirs")
    ran = deploy(desk, "theirs")
    assert ran.code == 1
    assert "reconciler update theirs" in ran.err
    assert desk.sent() == []


def test_a_request_is_judged_like_yaml(desk: Sandbox) -> None:
    """All of it at once, with the names of the fields and without places."""
    ran = desk.run("deploy", "Probe_1", "--image", "ubuntu", "--spec", "smal", "--replicas", "0", "--json")
    assert ran.code == 1
    assert set(ran.codes) == {"unknown-spec", "replicas-zero", "app-name"}
    assert {problem["file"] for problem in ran.document["problems"]} == {None}
    ran = desk.run("update", "probe", "--image", "a b", "--task-timeout", "0", "--env", "1A=x", "--json")
    assert (ran.code, set(ran.codes)) == (1, {"bad-format", "out-of-range"})
    assert desk.sim.requests == []


def test_env_by_hand_is_literal_and_secret(desk: Sandbox) -> None:
    """From options and from files: sent as typed, and in no output and no file."""
    desk.write("vars", f"# a comment\n\nTOKEN={SECRET}\nMIXED=first\n")
    args = ["--env-file", "vars", "--env", f"MIXED={SECRET}=$${{env:HOME}}", "-v"]
    said = [done(deploy(desk, "probe", *args))]
    assert env(desk, "probe") == {"TOKEN": SECRET, "MIXED": f"{SECRET}=$${{env:HOME}}"}
    (desk.root / "vars").unlink()
    said.append(done(desk.run("update", "probe", "--env", f"NEW={SECRET}-2", "--yes", "--json")))
    desk.sim.world.console_update(desk.id("probe"), envs=[{"key": "NEW", "value": SECRET + "-3"}])
    said += [desk.run(*command) for command in (["plan"], ["drift", "--json"], ["state", "show", "probe"])]
    said.append(done(desk.run("delete", "probe", "--yes")))
    told = "".join(ran.out + ran.err for ran in said) + "".join(map(str, desk.files().values()))
    assert SECRET not in told
    assert "(sensitive value)" in told


def test_env_is_replaced_whole(desk: Sandbox) -> None:
    """And left alone where nothing is said of it."""
    done(deploy(desk, "probe", "--env", "A=1", "--env", "B=2"))
    done(desk.run("update", "probe", "--replicas", "2", "--yes"))
    assert env(desk, "probe") == {"A": "1", "B": "2"}
    done(desk.run("update", "probe", "--no-env", "--yes"))
    assert env(desk, "probe") == {}


def test_what_the_yaml_says_otherwise_is_told(desk: Sandbox) -> None:
    """The next apply sets it back, and does; the change itself is recorded and no drift."""
    desk.declare(item("chat", env={"A": "1"}))
    desk.apply()
    ran = done(desk.run("scale", "chat", "4", "--yes"))
    assert "`chat` is declared with workerConfig.minNum = 1, workerConfig.maxNum = 1" in ran.err
    ran = done(desk.run("update", "chat", "--env", "A=2", "--yes", "--json"))
    (note,) = (one for one in ran.document["problems"] if one["code"] == "declared-otherwise")
    assert (note["file"], note["severity"]) == ("endpoints.yaml", "note")
    assert "another env" in note["summary"]
    assert desk.run("drift").code == 0
    planned = desk.plan().document["resource_changes"][0]
    assert {field["cause"] for field in planned["fields"]} == {"config"}
    desk.apply()
    assert counts(desk, "chat") == (1, 1)
    assert env(desk, "chat") == {"A": "1"}


def test_a_hand_on_what_nobody_recorded_does_not_record_it(desk: Sandbox) -> None:
    """It is changed or deleted, if it is the only one of its name; a plan would do neither."""
    desk.sim.world.console_create(name="theirs", appName="theirs")
    done(desk.run("scale", "theirs", "2", "--yes"))
    done(desk.run("scale", "theirs", "2", "--yes"))
    assert counts(desk, "theirs") == (2, 2)
    assert not (desk.root / "state/novita.json").exists() or desk.inventory == {}
    ran = desk.run("delete", "theirs", typed="yes\n")
    assert "Do you really want to delete theirs?" in ran.err
    assert desk.live() == {}


@pytest.mark.parametrize("command", [["delete"], ["scale"], ["update", "--image", "x:1"]])
def test_several_of_one_name_are_refused(desk: Sandbox, command: list[str]) -> None:
    """With their IDs, for a person to decide."""
    ids = [desk.sim.world.console_create(name="twin", appName=f"twin-{number}") for number in (1, 2)]
    verb, *options = command
    ran = desk.run(verb, "twin", *options, *(["3"] if verb == "scale" else []), "--yes")
    assert ran.code == 1
    assert all(one in ran.err for one in ids)
    assert desk.sent() == []


def test_prevent_destroy_holds_by_hand(desk: Sandbox) -> None:
    """From the YAML and from the record, also where nobody recorded the endpoint."""
    desk.declare(item("chat", lifecycle={"preventDestroy": True}))
    desk.apply()
    assert desk.run("delete", "chat", "--yes").code == 3
    desk.declare()
    assert desk.run("delete", "chat", "--yes").code == 3
    (desk.root / "state/novita.json").unlink()
    desk.declare(item("chat", lifecycle={"preventDestroy": True}))
    assert desk.run("delete", "chat", "--yes").code == 3
    assert [one.operation for one in desk.sent()] == ["create"]


def test_a_delete_of_what_is_declared_says_that_it_comes_back(desk: Sandbox) -> None:
    """Nothing else is touched, whatever the guards would say to a plan like that."""
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    ran = done(desk.run("delete", "chat", "--yes"))
    assert "still declared: the next apply creates it again" in ran.err
    assert list(desk.live()) == ["embed"]
    assert list(desk.inventory) == ["embed"]


def test_a_delete_of_what_is_gone_forgets_it(desk: Sandbox) -> None:
    """The record goes, and nothing is sent."""
    done(deploy(desk, "probe"))
    desk.sim.world.console_delete(desk.id("probe"))
    done(desk.run("delete", "probe", "--yes"))
    assert desk.inventory == {}
    ran = desk.run("delete", "probe", "--yes")
    assert ran.code == 1
    assert "endpoint not found in Novita" in ran.err


def test_a_newcomer_is_not_changed_or_deleted_without_a_word(desk: Sandbox) -> None:
    """Its ID is told beside that of the endpoint that was recorded under its name."""
    done(deploy(desk, "chat"))
    old = desk.id("chat")
    desk.sim.world.console_delete(old)
    new = desk.sim.world.console_create(name="chat", appName="theirs")
    for command in (("scale", "chat", "3"), ("delete", "chat")):
        ran = done(desk.run(*command, "--yes"))
        assert f"`chat` was recorded as {old}, which is gone; this is {new}" in ran.err
    assert desk.live() == {}


def test_what_is_not_approved_is_not_done(desk: Sandbox) -> None:
    """Declined, and where nobody is there to be asked."""
    ran = desk.run("deploy", "probe", "--image", "x:1", "--spec", "small", typed="no\n")
    assert ran.code == 1
    assert "nothing was changed: approval was declined" in ran.err
    desk.monkeypatch.setenv("CI", "1")
    assert desk.run("deploy", "probe", "--image", "x:1", "--spec", "small").code == 1
    assert desk.sent() == []


def test_another_run_meanwhile_is_planned_in(desk: Sandbox) -> None:
    """While the question waits, somebody else deploys that name: it is not made twice."""
    command = ("deploy", "probe", "--image", "x:1", "--spec", "small")
    keys = Keys("yes\n", before=lambda: desk.process(*command, "--yes"))
    ran = desk.run(*command, typed=keys)
    assert ran.code == 1
    assert "exists already" in ran.err
    assert len(desk.sent("create")) == 1


def test_a_deploy_whose_answer_was_lost_is_found(desk: Sandbox) -> None:
    """Made once, and recorded as made without YAML."""
    desk.sim.faults.add(Fault(operation="create", kind="lost_answer"))
    done(deploy(desk, "probe"))
    assert len(desk.live()) == 1
    assert desk.inventory["probe"]["origin"] == "imperative"


def test_a_deploy_that_was_killed_is_recovered(desk: Sandbox) -> None:
    """The intent remembers whose it is, and no plan deletes what came of it."""
    command = ("deploy", "probe", "--image", "x:1", "--spec", "small", "--yes")
    desk.killed("create", command=command)
    done(desk.run("recover"))
    assert desk.inventory["probe"]["origin"] == "imperative"
    desk.declare()
    assert desk.plan().code == 0


def test_a_hand_leaves_what_an_apply_left_to_resume(desk: Sandbox) -> None:
    """It is about one endpoint, and no promise of its own."""
    desk.declare(item("chat"), item("embed"))
    desk.sim.faults.add(Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND"))
    assert desk.run("apply", "--yes", "--parallelism", "1").code == 4
    (made,) = desk.live()
    done(desk.run("scale", made, "3", "--yes"))
    done(desk.run("scale", made, "1", "--yes"))
    done(desk.run("apply", "--resume"))
    assert set(desk.live()) == {"chat", "embed"}


def test_unset_references_of_others_do_not_stand_in_the_way(desk: Sandbox) -> None:
    """Whoever scales at night has not every team's secrets."""
    desk.monkeypatch.setenv("TOKEN", "t")
    desk.declare(item("chat", env={"TOKEN": "${env:TOKEN}"}))
    desk.apply()
    desk.monkeypatch.delenv("TOKEN")
    done(desk.run("scale", "chat", "2", "--yes"))
    assert env(desk, "chat") == {"TOKEN": "t"}
    desk.monkeypatch.setenv("TOKEN", "t")
    assert desk.plan().actions == {"chat": "scale"}


def test_workers_that_become_too_many_are_drained_first(desk: Sandbox) -> None:
    """Before the counts are lowered; a Novita without that call is told of and does without."""
    done(deploy(desk, "probe", "--replicas", "4"))
    done(desk.run("scale", "probe", "2", "--drain", "--yes"))
    assert [one.operation for one in desk.sent("drain", "update")] == ["drain", "drain", "update"]
    desk.sim.faults.add(Fault(operation="drain", status=404, reason="NOT_FOUND"))
    ran = done(desk.run("scale", "probe", "1", "--drain", "--yes"))
    assert "draining is not offered" in ran.err
    assert counts(desk, "probe") == (1, 1)


YAML = """\
defaults: {specName: small}
endpoints:
  - endpoint: chat  # the one that matters
    image: ubuntu:22.04
    replicas: 2     # for the day
  - endpoint: embed
    image: ubuntu:22.04
"""


SHARED = """\
endpoints:
  - &one {endpoint: chat, specName: small, image: "x:1", replicas: 2}
  - {<<: *one, endpoint: embed}
"""


def test_the_yaml_is_edited_instead(desk: Sandbox) -> None:
    """Only the counts change, comments stay, nothing is sent, and the next apply sends it."""
    desk.write("endpoints.yaml", YAML)
    desk.apply()
    sent = len(desk.sim.requests)
    ran = done(desk.run("scale", "chat", "5", "--write"))
    assert len(desk.sim.requests) == sent
    assert (desk.root / "endpoints.yaml").read_text() == YAML.replace("replicas: 2 ", "replicas: 5 ")
    assert "+    replicas: 5     # for the day" in ran.out
    assert "reconciler apply --target chat" in ran.err
    assert "already declares these worker counts" in desk.run("scale", "chat", "5", "--write").err
    assert desk.plan().actions == {"chat": "scale"}
    desk.apply()
    assert counts(desk, "chat") == (5, 5)


def test_a_range_is_written_where_one_is_asked_for(desk: Sandbox) -> None:
    """Also 0, which keeps the most, and in JSON files; the document tells file and diff."""
    desk.declare(item("chat", replicas=3), item("embed"))
    ran = done(desk.run("scale", "chat", "0", "--write", "--json"))
    assert ran.document["file"] == "endpoints.yaml"
    desk.apply()
    assert counts(desk, "chat") == (0, 3)
    (desk.root / "endpoints.yaml").rename(desk.root / "endpoints.json")
    done(desk.run("scale", "chat", "--max", "8", "--write"))
    desk.apply()
    assert counts(desk, "chat") == (0, 8)
    assert desk.live()["embed"]["workerConfig"]["maxNum"] == 1


def test_the_last_layer_is_the_one_that_is_edited(desk: Sandbox) -> None:
    """An overlay goes on winning."""
    desk.write("base.yaml", YAML)
    desk.write("prod.yaml", "endpoints:\n  - endpoint: chat\n    replicas: 4\n")
    done(desk.run("-f", "base.yaml", "-f", "prod.yaml", "scale", "chat", "6", "--write"))
    assert (desk.root / "base.yaml").read_text() == YAML
    assert "replicas: 6" in (desk.root / "prod.yaml").read_text()


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        (YAML, ["nobody", "3"], "not-declared"),
        (YAML.replace("replicas: 2 ", 'replicas: "${env:COUNT}" '), ["chat", "3"], "cannot-accept"),
        (YAML, ["chat", "--min", "11"], "min-above-max"),
        (SHARED, ["chat", "3"], "cannot-edit"),
    ],
    ids=["undeclared", "reference", "order", "alias"],
)
def test_what_cannot_be_edited_is_left_as_it_is(
    desk: Sandbox, text: str, arguments: list[str], code: str
) -> None:
    """Where the file cannot say that and nothing else."""
    desk.monkeypatch.setenv("COUNT", "2")
    desk.write("endpoints.yaml", text)
    ran = desk.run("scale", *arguments, "--write", "--json")
    assert ran.code == 1
    assert code in ran.codes
    assert (desk.root / "endpoints.yaml").read_text() == text


@pytest.mark.parametrize(
    "arguments",
    [
        ["scale", "a"],
        ["scale", "a", "1", "--write", "--drain"],
        ["scale", "a", "--end-lease", "--write"],
        ["scale", "a", "1", "--write", "--json-into", "report.json"],
        ["scale", "a", "1", "--min", "2"],
        ["scale", "a", "--min", "3", "--max", "2"],
        ["scale", "a", "1", "--for", "2h", "--why", "x"],
        ["scale", "a", "--min", "1", "--max", "2", "--for", "2h"],
        ["scale", "a", "--min", "1", "--max", "2", "--for", "soon", "--why", "x"],
        ["scale", "a", "1", "--why", "x"],
        ["scale", "a", "1", "--end-lease"],
        ["scale", "a", "--min", "1", "--max", "2", "--for", "2h", "--why", "two\nlines"],
        ["update", "a"],
        ["update", "a", "--env", "NAKED-SECRET"],
        ["update", "a", "--env-file", "missing"],
        ["update", "a", "--env", "A=1", "--no-env"],
        ["delete", "a", "--target", "b"],
        ["deploy", "a", "--image", "x:1"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_a_usage_error(desk: Sandbox, arguments: list[str]) -> None:
    """Told before anything is read, and a variable's text is not repeated: it may be the secret itself."""
    ran = desk.run(*arguments, "--yes")
    assert ran.code == 64
    assert "NAKED-SECRET" not in ran.err
    assert desk.sim.requests == []
