"""Each change says what it means for the workers that run, and --no-disruption refuses a disruption."""

from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox, item


@pytest.fixture
def running(sandbox: Sandbox) -> Sandbox:
    """Four endpoints; two have two workers each."""
    sandbox.declare(
        item("chat", replicas=2), item("embed", minReplicas=0, maxReplicas=3), item("old", replicas=2)
    )
    sandbox.apply("--wait", "20s")
    return sandbox


def test_a_plan_says_which_workers_restart(running: Sandbox) -> None:
    """In the text, in JSON, in Markdown and in HTML."""
    running.declare(item("chat", replicas=2, image="ubuntu:24.04"), item("embed", specName="large"))
    text = running.run("plan", "--markdown-into", "plan.md", "--html-into", "plan.html").out
    rolling = "rolling restart of 2 workers, at most 4 at one time"
    assert f"      # ({rolling})\n" in text
    assert "      # (replaced: new ID, new URL, no worker runs)\n" in text
    assert "      # (deleted: the URL ends, 2 workers stop)\n" in text
    assert f"| {rolling} | config |" in Path("plan.md").read_text()
    assert f"<dt>Workers<dd>{rolling}" in Path("plan.html").read_text()
    changes = {one["name"]: one.get("blast_radius") for one in running.plan().document["resource_changes"]}
    assert changes["chat"] == {
        "effect": "rolling-restart",
        "disrupts": True,
        "workers": 2,
        "peak_workers": 4,
        "surplus_workers": 0,
        "lost": [],
    }
    peak = "While old and new workers run: at most 4 workers, $2.76 per hour."
    assert peak in text
    assert peak in Path("plan.html").read_text()
    assert peak.replace("$", "&#36;&#8203;") in Path("plan.md").read_text()
    costs = {one["address"]: one["peak"] for one in running.plan().document["cost"]["changes"]}
    assert costs["novita_endpoint.chat"] == {"workers": 4, "per_hour": "2.76"}
    assert costs["novita_endpoint.embed"] is None
    assert (changes["embed"]["effect"], changes["embed"]["lost"]) == ("replaced", ["ID", "URL"])
    assert (changes["old"]["effect"], changes["old"]["workers"]) == ("deleted", 2)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"replicas": 1}, "no restart, 1 of 2 workers stop"),
        ({"replicas": 2, "freeTimeout": 60}, "may restart 2 workers, at most 4 at one time"),
    ],
)
def test_what_does_not_surely_restart(running: Sandbox, fields: dict[str, int], says: str) -> None:
    running.declare(item("chat", **fields))
    assert f"      # ({says})\n" in running.run("plan", "--target", "chat").out


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"replicas": 2, "image": "ubuntu:24.04"}, "2 workers would restart"),
        ({"replicas": 2, "freeTimeout": 60}, "2 workers may restart, Novita does not say"),
        ({"replicas": 2, "specName": "large"}, "it would be replaced, with a new ID and a new URL"),
    ],
)
def test_no_disruption_refuses(running: Sandbox, fields: dict[str, int], says: str) -> None:
    """In plan and in apply, with the guard's exit code; nothing is sent."""
    running.declare(item("chat", **fields))
    before = running.live()["chat"]
    for command in ("plan", "apply"):
        yes = ["--yes"] if command == "apply" else []
        ran = running.run(command, *yes, "--json", "--no-disruption", "--target", "chat")
        assert (ran.code, ran.codes.count("would-disrupt")) == (3, 1)
        (problem,) = [one for one in ran.document["problems"] if one["code"] == "would-disrupt"]
        assert says in problem["summary"]
    assert running.live()["chat"] == before


def test_no_disruption_refuses_a_delete(running: Sandbox) -> None:
    """--no-delete leaves it out, and then the rest passes."""
    running.declare(item("chat", replicas=3), item("embed", minReplicas=0, maxReplicas=3, port=9000))
    ran = running.plan("--no-disruption")
    assert (ran.code, ran.codes) == (3, ["would-disrupt"])
    running.apply("--no-disruption", "--no-delete")
    assert running.live()["chat"]["workerConfig"]["minNum"] == 3
    assert "old" in running.live()


def test_workers_that_started_since_the_plan_are_protected(running: Sandbox) -> None:
    """A saved plan keeps the option: an update of a sleeping endpoint is refused once a worker runs."""
    running.declare(
        item("chat", replicas=2),
        item("embed", minReplicas=0, maxReplicas=3, port=9000),
        item("old", replicas=2),
    )
    assert running.run("plan", "--no-disruption", "--out", "the.plan").code == 0
    assert running.run("call", "embed").code == 0
    ran = running.run("apply", "the.plan", "--yes", "--json")
    assert (ran.code, "would-disrupt" in ran.codes) == (3, True)


def test_replace_contradicts_no_disruption(running: Sandbox) -> None:
    ran = running.run("plan", "--replace", "chat", "--no-disruption")
    assert (ran.code, "--no-disruption" in ran.err) == (64, True)
