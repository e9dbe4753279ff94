"""One endpoint changed by hand: planned, shown and asked about like an apply, and told what the YAML says."""

import json

import pytest

from reconciler.simulator import Fault
from tests.e2e.sandbox import CommandResult, Keys, Sandbox, item

SECRET = "typed-into-a-shell-4711"


def deploy(sandbox: Sandbox, name: str, *args: str) -> CommandResult:
    return sandbox.run("deploy", name, "--image", "ubuntu:22.04", "--spec", "small", "--yes", *args)


def done(ran: CommandResult) -> CommandResult:
    assert ran.code == 0, ran.err + ran.out
    return ran


def counts(sandbox: Sandbox, name: str) -> tuple[int, int]:
    worker = sandbox.live()[name]["workerConfig"]
    return worker["minNum"], worker["maxNum"]


def env(sandbox: Sandbox, name: str) -> dict[str, str]:
    return {one["key"]: one["value"] for one in sandbox.live()[name]["envs"]}


def test_a_life_without_yaml(sandbox: Sandbox) -> None:
    """Made, changed, scaled and deleted, with no endpoint file at all."""
    done(deploy(sandbox, "probe", "--replicas", "2", "--env", "A=1", "--task-timeout", "60"))
    assert counts(sandbox, "probe") == (2, 2)
    assert sandbox.inventory["probe"]["origin"] == "imperative"
    made = sandbox.id("probe")
    done(sandbox.run("update", "probe", "--image", "ubuntu:24.04", "--env", "B=2", "--yes"))
    assert sandbox.live()["probe"]["image"]["image"] == "ubuntu:24.04"
    assert env(sandbox, "probe") == {"B": "2"}
    assert sandbox.live()["probe"]["workerConfig"]["freeTimeout"] == 60
    done(sandbox.run("scale", "probe", "5", "--yes"))
    assert counts(sandbox, "probe") == (5, 5)
    assert sandbox.inventory["probe"]["origin"] == "imperative"
    done(sandbox.run("delete", "probe", "--yes"))
    assert sandbox.live() == {}
    assert sandbox.inventory == {}
    assert [json.loads(one.body)["id"] for one in sandbox.sent("update", "delete")] == [made] * 3


def test_plans_leave_alone_what_was_made_without_yaml(sandbox: Sandbox) -> None:
    """It is listed, never deleted, and becomes ordinary once it is declared."""
    done(deploy(sandbox, "probe"))
    sandbox.declare()
    planned = sandbox.plan()
    assert planned.code == 0
    assert [one["name"] for one in planned.document["unmanaged"]] == ["probe"]
    assert "prevent" not in json.dumps(planned.document["problems"])
    sandbox.declare(item("probe"))
    sandbox.apply()
    assert "origin" not in sandbox.inventory["probe"]
    assert len(sandbox.sent()) == 1


@pytest.mark.parametrize("count", [["0"], ["--min", "0"]])
def test_zero_keeps_the_most(sandbox: Sandbox, count: list[str]) -> None:
    """So that a request can wake it."""
    done(deploy(sandbox, "probe", "--replicas", "3"))
    done(sandbox.run("scale", "probe", *count, "--yes"))
    assert counts(sandbox, "probe") == (0, 3)


def test_each_count_can_be_set_by_itself(sandbox: Sandbox) -> None:
    """One that would leave more at least than at most is refused before anything is sent."""
    done(deploy(sandbox, "probe", "--min", "1", "--max", "3"))
    done(sandbox.run("scale", "probe", "--max", "6", "--yes"))
    assert counts(sandbox, "probe") == (1, 6)
    sent = len(sandbox.sent())
    ran = sandbox.run("scale", "probe", "--min", "7", "--yes", "--json")
    assert (ran.code, ran.codes) == (1, ["min-above-max"])
    assert len(sandbox.sent()) == sent


def test_a_name_that_lives_cannot_be_deployed(sandbox: Sandbox) -> None:
    """Whoever made it; both ways out are named."""
    sandbox.sim.world.console_create(name="theirs", appName="theirs")
    ran = deploy(sandbox, "theirs")
    assert ran.code == 1
    assert "reconciler update theirs" in ran.err
    assert sandbox.sent() == []


def test_a_request_is_judged_like_yaml(sandbox: Sandbox) -> None:
    """All of it at once, with the names of the fields and without places."""
    ran = sandbox.run(
        "deploy", "Probe_1", "--image", "ubuntu:1", "--spec", "smal", "--replicas", "0", "--json"
    )
    assert ran.code == 1
    assert set(ran.codes) == {"unknown-spec", "replicas-zero", "app-name"}
    assert {problem["file"] for problem in ran.document["problems"]} == {None}
    ran = sandbox.run("update", "probe", "--image", "a:1 b", "--task-timeout", "0", "--env", "1A=x", "--json")
    assert (ran.code, set(ran.codes)) == (1, {"bad-format", "out-of-range"})
    assert sandbox.operations <= {"list", "limit", "market_products", "balance"}


def test_env_by_hand_is_literal_and_secret(sandbox: Sandbox) -> None:
    """From options and from files: sent as typed, and in no output and no file."""
    sandbox.write("vars", f"# a comment\n\nTOKEN={SECRET}\nMIXED=first\n")
    args = ["--env-file", "vars", "--env", f"MIXED={SECRET}=$${{env:HOME}}", "-v"]
    said = [done(deploy(sandbox, "probe", *args))]
    assert env(sandbox, "probe") == {"TOKEN": SECRET, "MIXED": f"{SECRET}=$${{env:HOME}}"}
    (sandbox.root / "vars").unlink()
    said.append(done(sandbox.run("update", "probe", "--env", f"NEW={SECRET}-2", "--yes", "--json")))
    sandbox.sim.world.console_update(sandbox.id("probe"), envs=[{"key": "NEW", "value": SECRET + "-3"}])
    said += [sandbox.run(*command) for command in (["plan"], ["drift", "--json"], ["state", "show", "probe"])]
    said.append(done(sandbox.run("delete", "probe", "--yes")))
    told = "".join(ran.out + ran.err for ran in said) + "".join(map(str, sandbox.files().values()))
    assert SECRET not in told
    assert "(sensitive value)" in told


def test_env_is_replaced_whole(sandbox: Sandbox) -> None:
    """And left alone where nothing is said of it."""
    done(deploy(sandbox, "probe", "--env", "A=1", "--env", "B=2"))
    done(sandbox.run("update", "probe", "--replicas", "2", "--yes"))
    assert env(sandbox, "probe") == {"A": "1", "B": "2"}
    done(sandbox.run("update", "probe", "--no-env", "--yes"))
    assert env(sandbox, "probe") == {}


def test_what_the_yaml_says_otherwise_is_told(sandbox: Sandbox) -> None:
    """The next apply sets it back, and does; the change itself is recorded and no drift."""
    sandbox.declare(item("chat", env={"A": "1"}))
    sandbox.apply()
    ran = done(sandbox.run("scale", "chat", "4", "--yes"))
    assert "`chat` is declared with minReplicas = 1, maxReplicas = 1" in ran.err
    ran = done(sandbox.run("update", "chat", "--env", "A=2", "--yes", "--json"))
    (note,) = (one for one in ran.document["problems"] if one["code"] == "declared-otherwise")
    assert (note["file"], note["severity"]) == ("endpoints.yaml", "note")
    assert "another env" in note["summary"]
    assert sandbox.run("drift").code == 0
    planned = sandbox.plan().document["resource_changes"][0]
    assert {field["cause"] for field in planned["fields"]} == {"config"}
    sandbox.apply()
    assert counts(sandbox, "chat") == (1, 1)
    assert env(sandbox, "chat") == {"A": "1"}


def test_a_hand_on_what_nobody_recorded_does_not_record_it(sandbox: Sandbox) -> None:
    """It is changed or deleted, if it is the only one of its name; a plan would do neither."""
    sandbox.sim.world.console_create(name="theirs", appName="theirs")
    done(sandbox.run("scale", "theirs", "2", "--yes"))
    done(sandbox.run("scale", "theirs", "2", "--yes"))
    assert counts(sandbox, "theirs") == (2, 2)
    assert not (sandbox.root / "state/novita.json").exists() or sandbox.inventory == {}
    ran = sandbox.run("delete", "theirs", typed="yes\n")
    assert "Do you really want to delete theirs?" in ran.err
    assert sandbox.live() == {}


@pytest.mark.parametrize("command", [["delete"], ["scale"], ["update", "--image", "x:1"]])
def test_several_of_one_name_are_refused(sandbox: Sandbox, command: list[str]) -> None:
    """With their IDs, for a person to decide."""
    ids = [sandbox.sim.world.console_create(name="twin", appName=f"twin-{number}") for number in (1, 2)]
    verb, *options = command
    ran = sandbox.run(verb, "twin", *options, *(["3"] if verb == "scale" else []), "--yes")
    assert ran.code == 1
    assert all(one in ran.err for one in ids)
    assert sandbox.sent() == []


def test_prevent_destroy_holds_by_hand(sandbox: Sandbox) -> None:
    """From the YAML and from the record, also where nobody recorded the endpoint."""
    sandbox.declare(item("chat", lifecycle={"preventDestroy": True}))
    sandbox.apply()
    assert sandbox.run("delete", "chat", "--yes").code == 3
    sandbox.declare()
    assert sandbox.run("delete", "chat", "--yes").code == 3
    (sandbox.root / "state/novita.json").unlink()
    sandbox.declare(item("chat", lifecycle={"preventDestroy": True}))
    assert sandbox.run("delete", "chat", "--yes").code == 3
    assert [one.operation for one in sandbox.sent()] == ["create"]


def test_a_delete_of_what_is_declared_says_that_it_comes_back(sandbox: Sandbox) -> None:
    """Nothing else is touched, whatever the guards would say to a plan like that."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    ran = done(sandbox.run("delete", "chat", "--yes"))
    assert "still declared: the next apply creates it again" in ran.err
    assert list(sandbox.live()) == ["embed"]
    assert list(sandbox.inventory) == ["embed"]


def test_a_delete_of_what_somebody_has_renamed(sandbox: Sandbox) -> None:
    """It is found by its recorded ID, and the name that it has now is the consent."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id("chat"), name="taken-over")
    ran = sandbox.run("delete", "chat", "--yes")
    assert (ran.code, set(sandbox.live()), set(sandbox.inventory)) == (3, {"taken-over"}, {"chat"})
    assert f"`chat` ({sandbox.id('taken-over')}) is called `taken-over` now" in ran.err
    assert "`reconciler delete taken-over` deletes it" in ran.err
    ran = sandbox.run("scale", "taken-over", "3", "--yes")
    assert (ran.code, "is recorded as `chat`" in ran.err) == (1, True)
    done(sandbox.run("delete", "taken-over", "--yes"))
    assert sandbox.live() == {}
    sandbox.declare()
    sandbox.apply()
    assert sandbox.inventory == {}


def test_a_protected_endpoint_is_not_deleted_by_its_new_name(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat", lifecycle={"preventDestroy": True}))
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id("chat"), name="taken-over")
    ran = sandbox.run("delete", "taken-over", "--yes", "--json")
    assert (ran.code, ran.codes, set(sandbox.live())) == (3, ["prevent-destroy"], {"taken-over"})


def test_a_delete_of_what_is_gone_forgets_it(sandbox: Sandbox) -> None:
    """The record goes, and nothing is sent."""
    done(deploy(sandbox, "probe"))
    sandbox.sim.world.console_delete(sandbox.id("probe"))
    done(sandbox.run("delete", "probe", "--yes"))
    assert sandbox.inventory == {}
    ran = sandbox.run("delete", "probe", "--yes")
    assert ran.code == 1
    assert "endpoint not found in Novita" in ran.err


def test_a_newcomer_is_not_changed_or_deleted_without_a_word(sandbox: Sandbox) -> None:
    """Its ID is told beside that of the endpoint that was recorded under its name."""
    done(deploy(sandbox, "chat"))
    old = sandbox.id("chat")
    sandbox.sim.world.console_delete(old)
    new = sandbox.sim.world.console_create(name="chat", appName="theirs")
    for command in (("scale", "chat", "3"), ("delete", "chat")):
        ran = done(sandbox.run(*command, "--yes"))
        assert f"`chat` was recorded as {old}, which is gone; this is {new}" in ran.err
    assert sandbox.live() == {}


def test_what_is_not_approved_is_not_done(sandbox: Sandbox) -> None:
    """Declined, and where nobody is there to be asked."""
    ran = sandbox.run("deploy", "probe", "--image", "x:1", "--spec", "small", typed="no\n")
    assert ran.code == 1
    assert "nothing was changed: approval was declined" in ran.err
    sandbox.monkeypatch.setenv("CI", "1")
    assert sandbox.run("deploy", "probe", "--image", "x:1", "--spec", "small").code == 1
    assert sandbox.sent() == []


def test_another_run_meanwhile_is_planned_in(sandbox: Sandbox) -> None:
    """While the question waits, somebody else deploys that name: it is not made twice."""
    command = ("deploy", "probe", "--image", "x:1", "--spec", "small")
    keys = Keys("yes\n", before=lambda: sandbox.process(*command, "--yes"))
    ran = sandbox.run(*command, typed=keys)
    assert ran.code == 1
    assert "exists already" in ran.err
    assert len(sandbox.sent("create")) == 1


def test_a_deploy_whose_answer_was_lost_is_found(sandbox: Sandbox) -> None:
    """Made once, and recorded as made without YAML."""
    sandbox.sim.faults.add(Fault(operation="create", kind="lost_answer"))
    done(deploy(sandbox, "probe"))
    assert len(sandbox.live()) == 1
    assert sandbox.inventory["probe"]["origin"] == "imperative"


def test_a_deploy_that_was_killed_is_recovered(sandbox: Sandbox) -> None:
    """The intent remembers whose it is, and no plan deletes what came of it."""
    command = ("deploy", "probe", "--image", "x:1", "--spec", "small", "--yes")
    sandbox.killed("create", command=command)
    done(sandbox.run("recover"))
    assert sandbox.inventory["probe"]["origin"] == "imperative"
    sandbox.declare()
    assert sandbox.plan().code == 0


def test_a_hand_leaves_what_an_apply_left_to_resume(sandbox: Sandbox) -> None:
    """It is about one endpoint, and no promise of its own."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.sim.faults.add(Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND"))
    assert sandbox.run("apply", "--yes", "--parallelism", "1").code == 4
    (made,) = sandbox.live()
    done(sandbox.run("scale", made, "3", "--yes"))
    done(sandbox.run("scale", made, "1", "--yes"))
    done(sandbox.run("apply", "--resume"))
    assert set(sandbox.live()) == {"chat", "embed"}


def test_unset_references_of_others_do_not_stand_in_the_way(sandbox: Sandbox) -> None:
    """Whoever scales at night has not every team's secrets."""
    sandbox.monkeypatch.setenv("TOKEN", "t")
    sandbox.declare(item("chat", env={"TOKEN": "${env:TOKEN}"}))
    sandbox.apply()
    sandbox.monkeypatch.delenv("TOKEN")
    done(sandbox.run("scale", "chat", "2", "--yes"))
    assert env(sandbox, "chat") == {"TOKEN": "t"}
    sandbox.monkeypatch.setenv("TOKEN", "t")
    assert sandbox.plan().actions == {"chat": "scale"}


def test_workers_that_become_too_many_are_drained_first(sandbox: Sandbox) -> None:
    """Before the counts are lowered; a Novita without that call is told of and does without."""
    done(deploy(sandbox, "probe", "--replicas", "4"))
    done(sandbox.run("scale", "probe", "2", "--drain", "--yes"))
    assert [one.operation for one in sandbox.sent("drain", "update")] == ["drain", "drain", "update"]
    sandbox.sim.faults.add(Fault(operation="drain", status=404, reason="NOT_FOUND"))
    ran = done(sandbox.run("scale", "probe", "1", "--drain", "--yes"))
    assert "draining is not offered" in ran.err
    assert counts(sandbox, "probe") == (1, 1)


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


def test_the_yaml_is_edited_instead(sandbox: Sandbox) -> None:
    """Only the counts change, comments stay, nothing is sent, and the next apply sends it."""
    sandbox.write("endpoints.yaml", YAML)
    sandbox.apply()
    sent = len(sandbox.sim.requests)
    ran = done(sandbox.run("scale", "chat", "5", "--write"))
    assert len(sandbox.sim.requests) == sent
    assert (sandbox.root / "endpoints.yaml").read_text() == YAML.replace("replicas: 2 ", "replicas: 5 ")
    assert "+    replicas: 5     # for the day" in ran.out
    assert "reconciler apply --target chat" in ran.err
    assert "already declares these worker counts" in sandbox.run("scale", "chat", "5", "--write").err
    assert sandbox.plan().actions == {"chat": "scale"}
    sandbox.apply()
    assert counts(sandbox, "chat") == (5, 5)


def test_a_range_is_written_where_one_is_asked_for(sandbox: Sandbox) -> None:
    """Also 0, which keeps the most, and in JSON files; the document tells file and diff."""
    sandbox.declare(item("chat", replicas=3), item("embed"))
    ran = done(sandbox.run("scale", "chat", "0", "--write", "--json"))
    assert ran.document["file"] == "endpoints.yaml"
    sandbox.apply()
    assert counts(sandbox, "chat") == (0, 3)
    (sandbox.root / "endpoints.yaml").rename(sandbox.root / "endpoints.json")
    done(sandbox.run("scale", "chat", "--max", "8", "--write"))
    sandbox.apply()
    assert counts(sandbox, "chat") == (0, 8)
    assert sandbox.live()["embed"]["workerConfig"]["maxNum"] == 1


def test_the_last_layer_is_the_one_that_is_edited(sandbox: Sandbox) -> None:
    """An overlay goes on winning."""
    sandbox.write("base.yaml", YAML)
    sandbox.write("prod.yaml", "endpoints:\n  - endpoint: chat\n    replicas: 4\n")
    done(sandbox.run("-f", "base.yaml", "-f", "prod.yaml", "scale", "chat", "6", "--write"))
    assert (sandbox.root / "base.yaml").read_text() == YAML
    assert "replicas: 6" in (sandbox.root / "prod.yaml").read_text()


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
    sandbox: Sandbox, text: str, arguments: list[str], code: str
) -> None:
    """Where the file cannot say that and nothing else."""
    sandbox.monkeypatch.setenv("COUNT", "2")
    sandbox.write("endpoints.yaml", text)
    ran = sandbox.run("scale", *arguments, "--write", "--json")
    assert ran.code == 1
    assert code in ran.codes
    assert (sandbox.root / "endpoints.yaml").read_text() == text


@pytest.mark.parametrize(
    "arguments",
    [
        ["scale", "a"],
        ["scale", "a", "1", "--write", "--drain"],
        ["scale", "a", "--end-lease", "--write"],
        ["scale", "a", "1", "--write", "--json-into", "report.json"],
        ["scale", "a", "1", "--min", "2"],
        ["scale", "a", "--min", "3", "--max", "2"],
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
def test_what_cannot_be_meant_is_a_usage_error(sandbox: Sandbox, arguments: list[str]) -> None:
    """Told before anything is read, and a variable's text is not repeated: it may be the secret itself."""
    ran = sandbox.run(*arguments, "--yes")
    assert ran.code == 64
    assert "NAKED-SECRET" not in ran.err
    assert sandbox.sim.requests == []
