"""Other worker counts for a time: kept while it runs, undone by the first apply after it."""

import json
import re

import pytest

from tests.e2e.sandbox import CommandResult, Sandbox, item

LEASE = ("--min", "2", "--max", "8", "--for", "6h", "--why", "launch day")


def scale(sandbox: Sandbox, *args: str) -> CommandResult:
    return sandbox.run("scale", "chat", *args, "--yes")


def counts(sandbox: Sandbox) -> tuple[int, int]:
    worker = sandbox.live()["chat"]["workerConfig"]
    return worker["minNum"], worker["maxNum"]


def later(sandbox: Sandbox) -> None:
    """The lease is over, by the date that the inventory holds."""
    path = sandbox.root / "state/novita.json"
    document = json.loads(path.read_text())
    document["endpoints"]["chat"]["lease"]["until"] = "2026-01-01T00:00:00Z"
    path.write_text(json.dumps(document))


@pytest.fixture
def leased(sandbox: Sandbox) -> Sandbox:
    """A declared endpoint with a lease."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    assert scale(sandbox, *LEASE).code == 0
    return sandbox


def test_while_it_runs_plan_and_drift_keep_it(leased: Sandbox) -> None:
    """Nothing is to be done and nothing moved; both say how long and why, in text and in JSON."""
    assert counts(leased) == (2, 8)
    assert leased.inventory["chat"]["lease"]["why"] == "launch day"
    for command in ("plan", "drift"):
        ran = leased.run(command, "--json")
        assert ran.code == 0
        assert ran.actions == {}
        (note,) = ran.document["problems"]
        assert note["code"] == "lease"
        assert "2 to 8 workers" in note["summary"]
        assert note["summary"].endswith("Z: launch day")
        assert note["summary"] in leased.run(command).err
    assert leased.run("drift", "--json").document["drift"]["drifted"] is False
    leased.apply()
    assert counts(leased) == (2, 8)
    assert len(leased.sent("update")) == 1


def test_the_first_apply_after_it_brings_back_what_is_declared(leased: Sandbox) -> None:
    """The plan calls it the doing of time and says that the lease ended; the record forgets it."""
    later(leased)
    planned = leased.plan()
    assert planned.actions == {"chat": "scale"}
    assert {field["cause"] for field in planned.document["resource_changes"][0]["fields"]} == {"time"}
    assert "lease-over" in planned.codes
    assert leased.run("drift").code == 0
    leased.apply()
    assert counts(leased) == (1, 1)
    assert "lease" not in leased.inventory["chat"]
    assert leased.plan().code == 0


def test_an_apply_clears_a_lease_that_left_nothing_to_undo(leased: Sandbox) -> None:
    """The counts were brought back in the YAML's favour already: only the record is written."""
    assert scale(leased, "1").code == 0
    later(leased)
    leased.apply()
    assert "lease" not in leased.inventory["chat"]
    assert len(leased.sent("update")) == 2


def test_it_holds_until_it_ends_whatever_else_is_done(leased: Sandbox) -> None:
    """An edit of the YAML waits, another field is applied, and the next apply sets back a scale by hand."""
    leased.declare(item("chat", replicas=3, image="ubuntu:24.04"))
    leased.apply()
    assert counts(leased) == (2, 8)
    assert leased.live()["chat"]["image"]["image"] == "ubuntu:24.04"
    assert leased.inventory["chat"]["lease"]["max"] == 8
    ran = scale(leased, "4")
    assert "has a lease with minReplicas = 2, maxReplicas = 8" in ran.err
    assert counts(leased) == (4, 4)
    leased.apply()
    assert counts(leased) == (2, 8)
    assert leased.run("update", "chat", "--image", "ubuntu:25.04", "--yes").code == 0
    assert leased.inventory["chat"]["lease"]["max"] == 8


def test_it_can_be_ended_and_changed(leased: Sandbox) -> None:
    """A new one takes its place; ending it brings back what is declared."""
    assert scale(leased, "--min", "1", "--max", "4", "--for", "2d", "--why", "later").code == 0
    assert leased.inventory["chat"]["lease"]["why"] == "later"
    assert scale(leased, "--end-lease").code == 0
    assert counts(leased) == (1, 1)
    assert "lease" not in leased.inventory["chat"]
    ran = scale(leased, "--end-lease", "--json")
    assert (ran.code, ran.codes) == (1, ["no-lease"])


def test_a_lease_of_the_counts_that_are_is_one_too(leased: Sandbox) -> None:
    """Nothing is sent, and it is recorded all the same."""
    assert scale(leased, "--end-lease").code == 0
    sent = len(leased.sent())
    assert scale(leased, "--min", "1", "--max", "1", "--for", "90m", "--why", "freeze").code == 0
    assert leased.inventory["chat"]["lease"]["why"] == "freeze"
    assert len(leased.sent()) == sent


def test_what_nothing_would_end_has_no_lease(sandbox: Sandbox) -> None:
    """Undeclared, kept from applies, or not recorded: refused, and nothing is sent."""
    ran = scale(sandbox, *LEASE, "--json")
    assert (ran.code, ran.codes) == (1, ["endless-lease"])
    sandbox.declare(item("chat"))
    ran = scale(sandbox, *LEASE, "--json")
    assert (ran.code, ran.codes) == (1, ["not-tracked"])
    sandbox.declare(item("chat", lifecycle={"ignoreChanges": ["replicas"]}))
    ran = scale(sandbox, *LEASE, "--json")
    assert (ran.code, ran.codes) == (1, ["endless-lease"])
    assert sandbox.sent() == []


def test_an_endpoint_that_is_no_longer_declared_can_lose_its_lease(leased: Sandbox) -> None:
    """There is nothing to bring back, and nothing is sent."""
    leased.declare()
    sent = len(leased.sent())
    assert scale(leased, "--end-lease").code == 0
    assert "lease" not in leased.inventory["chat"]
    assert len(leased.sent()) == sent


def test_state_show_tells_it(leased: Sandbox) -> None:
    """With its end as a moment with a zone."""
    lease = leased.run("state", "show", "chat").document["lease"]
    assert (lease["min"], lease["max"], lease["why"]) == (2, 8, "launch day")
    assert lease["until"].endswith("+00:00")


@pytest.mark.parametrize(
    "lease",
    [
        {"min": 1, "max": 2, "until": "2026-01-01T00:00:00Z"},
        {"min": True, "max": 2, "until": "2026-01-01T00:00:00Z", "why": ""},
        {"min": 3, "max": 2, "until": "2026-01-01T00:00:00Z", "why": ""},
        {"min": 1, "max": 2, "until": "tomorrow", "why": ""},
        {"min": 1, "max": 2, "until": "2026-01-01T00:00:00Z", "why": "", "by": "me"},
        7,
    ],
)
def test_a_lease_that_was_bent_is_refused(leased: Sandbox, lease: object) -> None:
    """As anything else in the inventory that a person may have edited."""
    path = leased.root / "state/novita.json"
    document = json.loads(path.read_text())
    document["endpoints"]["chat"]["lease"] = lease
    path.write_text(json.dumps(document))
    ran = leased.run("plan", "--json")
    assert (ran.code, ran.codes) == (1, ["inventory-shape"])
    assert "lease" in ran.document["problems"][0]["summary"]


MOVES = {
    "rename": [item("talk", appName="chat", renamedFrom="chat"), item("other")],
    "swap": [
        item("other", appName="chat", renamedFrom="chat"),
        item("chat", appName="other", renamedFrom="other"),
    ],
    "chain": [
        item("other", appName="chat", renamedFrom="chat"),
        item("third", appName="other", renamedFrom="other"),
    ],
}


@pytest.mark.parametrize("killed", [None, "before", "after"])
@pytest.mark.parametrize("move", MOVES)
def test_it_goes_with_the_endpoint_that_is_renamed(sandbox: Sandbox, move: str, killed: str | None) -> None:
    """Also where names change hands, and where the run is killed in the rename."""
    sandbox.declare(item("chat"), item("other"))
    sandbox.apply()
    assert scale(sandbox, *LEASE).code == 0
    leased = sandbox.id("chat")
    sandbox.declare(*MOVES[move])
    if killed:
        sandbox.killed("update", "--parallelism", "1", when=killed)
    sandbox.apply()
    found = {
        one["id"]: (one["workerConfig"]["minNum"], one["workerConfig"]["maxNum"])
        for one in sandbox.live().values()
    }
    assert found.pop(leased) == (2, 8)
    assert list(found.values()) == [(1, 1)]
    assert [record["id"] for record in sandbox.inventory.values() if "lease" in record] == [leased]
    assert sandbox.plan().code == 0


@pytest.mark.parametrize("killed", ["before", "after"])
@pytest.mark.parametrize("command", [(*LEASE,), ("5",)])
@pytest.mark.parametrize("name", ["chat", "other", "third", "talk"])
@pytest.mark.parametrize("move", MOVES)
def test_a_change_by_hand_in_the_middle_of_a_rename(
    sandbox: Sandbox, move: str, name: str, command: tuple[str, ...], killed: str
) -> None:
    """It never makes an endpoint. A name that is on its way is refused, and the rename is finished first."""
    sandbox.declare(item("chat"), item("other"))
    sandbox.apply()
    ids = {one["id"] for one in sandbox.live().values()}
    sandbox.declare(*MOVES[move])
    sandbox.killed("update", "--parallelism", "1", when=killed)
    ran = sandbox.run("scale", name, *command, "--yes")
    moving = {"rename": {"chat", "talk"}, "swap": {"chat"}, "chain": {"other", "third"}}[move]
    if name in moving and not ("is not declared" in ran.err or "cannot have a lease" in ran.err):
        assert ran.code == 1
        assert "did not finish renaming" in ran.err
    assert "has a bug" not in ran.err
    assert {one["id"] for one in sandbox.live().values()} == ids
    sandbox.apply()
    assert sandbox.plan().code == 0
    assert {one["id"] for one in sandbox.live().values()} == ids


def test_a_lease_of_one_number(sandbox: Sandbox) -> None:
    """E6: as the README shows it, N is the minimum and the maximum."""
    sandbox.declare(item("chat", minReplicas=0, maxReplicas=3))
    sandbox.apply()
    ran = scale(sandbox, "4", "--for", "6h", "--why", "launch day")
    assert ran.code == 0, ran.err
    assert counts(sandbox) == (4, 4)
    assert "`chat` has 4 workers by a lease until 20" in sandbox.run("plan").err
    for refused in (("0", "--for", "6h", "--why", "x"), ("4", "--for", "6h"), ("--for", "6h", "--why", "x")):
        assert scale(sandbox, *refused).code == 64


def test_a_lease_is_shown_by_all_that_shows_the_endpoint(leased: Sandbox) -> None:
    """Until when and why, in list, status, watch and get; not after its end."""
    words = re.compile(r"until 20\d\d-\d\d-\d\d \d\d:\d\dZ, 2 to 8 workers: launch day")
    commands = (["list"], ["status"], ["get", "chat"], ["watch", "--for", "0", "--initial"])
    for command in commands:
        assert words.search(leased.run(*command).out), command
    for command in (["list"], ["status"]):
        assert leased.run(*command).out.splitlines()[0].split()[-1] == "LEASE"
    (listed,) = leased.run("list", "--json").document
    assert {**listed["lease"], "until": ""} == {"min": 2, "max": 8, "until": "", "why": "launch day"}
    later(leased)
    for command in commands:
        assert "launch day" not in leased.run(*command).out, command
