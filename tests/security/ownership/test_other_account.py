"""An inventory belongs to one account: another key or host asks before anything is made anew or forgotten."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.simulator import Server
from tests.e2e.desk import Sandbox, item

TWELVE = [f"e{number}" for number in range(12)]
OTHER_KEY = "sk_of-another-account"


def files(desk: Sandbox) -> dict[str, bytes]:
    return {name: data for name, data in desk.files().items() if ".lock" not in name}


def state(desk: Sandbox) -> Any:
    return json.loads((desk.root / "state/novita.json").read_text())


@pytest.fixture
def other(desk: Sandbox) -> Iterator[Server]:
    """Another account behind another address."""
    with Server(seed=2) as sim:
        yield sim


def empty(desk: Sandbox) -> None:
    """As an account looks that has never seen any of it."""
    for name in desk.live():
        desk.sim.world.console_delete(desk.id(name))


def move(desk: Sandbox, other: Server, *, same_host: bool) -> None:
    """From here on the run talks to the other account: under the same host with its key, or elsewhere."""
    if same_host:
        desk.monkeypatch.setenv("NOVITA_API_KEY", OTHER_KEY)
        empty(desk)
    else:
        desk.monkeypatch.setenv("NOVITA_BASE_URL", other.url)


def asks(desk: Sandbox, *words: str, says: str = "--allow-other-account") -> None:
    """Exit 3, the reason, and not a byte changed on either side."""
    before, writes = files(desk), len(desk.sent())
    ran = desk.run(*words)
    assert ran.code == 3, (words, ran.out, ran.err)
    assert says in ran.err
    assert "recorded endpoint" in ran.err or "was written for" in ran.err or "nothing that" in ran.err
    assert (files(desk), len(desk.sent())) == (before, writes)


EVERY = (
    ("plan",),
    ("apply", "--yes"),
    ("destroy", "--yes"),
    ("deploy", "new", "--image", "a/b:1", "--spec", "small", "--yes"),
    ("delete", "e0", "--yes"),
    ("state", "rebuild"),
)


@pytest.mark.parametrize(("count", "same_host"), [(1, False), (2, True), (2, False), (12, True), (12, False)])
def test_every_way_to_write_asks(desk: Sandbox, other: Server, same_host: bool, count: int) -> None:
    """All that was recorded is missing, or the host is another one."""
    desk.declare(*(item(name) for name in TWELVE[:count]))
    desk.apply()
    move(desk, other, same_host=same_host)
    for words in EVERY:
        asks(desk, *words)
    ran = desk.run("plan")
    assert f"Plan: {count} to add" in ran.out, "it is shown all the same"
    assert ("The API key differs from the one that wrote the inventory." in ran.err) is same_host
    assert other.requests == [] or not [one for one in other.requests if one.operation == "create"]


@pytest.mark.parametrize("same_host", [True, False])
def test_records_that_are_let_go(desk: Sandbox, other: Server, same_host: bool) -> None:
    """`removed:` and an empty file would forget them; a single one asks as well once the key is another."""
    desk.declare(item("chat"))
    desk.apply()
    move(desk, other, same_host=same_host)
    desk.declare(removed=[{"endpoint": "chat", "destroy": False}])
    asks(desk, "apply", "--yes")
    asks(desk, "destroy", "--yes")
    desk.declare()
    asks(desk, "apply", "--yes", "--allow-delete", "0")


@pytest.mark.parametrize("words", [("scale", "chat", "3", "--yes"), ("delete", "chat", "--yes")])
def test_a_namesake_in_another_account_is_not_ours(
    desk: Sandbox, other: Server, words: tuple[str, ...]
) -> None:
    """By hand as well: it is changed only with the flag, and then it is not recorded in silence."""
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    other.world.console_create(name="chat", appName="chat")
    move(desk, other, same_host=False)
    asks(desk, *words)
    assert not [one for one in other.requests if one.operation in ("update", "delete")]
    assert desk.run(*words, "--allow-other-account").code == 0


def test_import_and_recover_ask(desk: Sandbox, other: Server) -> None:
    """What is there is not ours to record, and what is not there was not proven to be nothing."""
    desk.declare(item("e0"), item("e1"), item("lost"))
    desk.killed("create", when="before", nth=3)
    assert desk.run("recover").code == 0
    assert desk.apply().code == 0
    theirs = other.world.console_create(name="theirs", appName="theirs")
    move(desk, other, same_host=False)
    asks(desk, "import", "theirs", theirs)
    asks(desk, "import", "--all", "--out", "theirs.yaml")
    assert desk.run("import", "theirs", theirs, "--allow-other-account").code == 0


def test_an_open_create_is_not_settled_in_another_account(desk: Sandbox, other: Server) -> None:
    """The answer was lost in this account; that the other one has nothing of that name proves nothing."""
    desk.declare(item("chat"))
    desk.killed("create", when="before")
    for same_host in (False, True):
        move(desk, other, same_host=same_host)
        asks(desk, "recover")
        asks(desk, "recover", "chat", "--none")
        asks(desk, "apply", "--yes")
        desk.monkeypatch.setenv("NOVITA_BASE_URL", desk.sim.url)
    assert desk.run("recover", "--allow-other-account").code == 0


@pytest.mark.parametrize(
    ("count", "gone", "code"), [(2, 1, 0), (9, 8, 0), (10, 2, 0), (10, 3, 3), (12, 4, 3), (3, 3, 3)]
)
def test_how_many_may_be_gone(desk: Sandbox, count: int, gone: int, code: int) -> None:
    """All of two or more, or 30 % of ten or more; whoever deleted them in the console says so by the flag."""
    desk.declare(*(item(name) for name in TWELVE[:count]))
    desk.apply()
    for name in TWELVE[:gone]:
        desk.sim.world.console_delete(desk.id(name))
    ran = desk.run("plan")
    assert ran.code == code
    if code:
        assert f"{gone} of the {count} recorded endpoints are not in this account" in ran.err
        assert "The API key is the one that wrote the inventory." in ran.err
        assert "deleted on purpose" in ran.err
    desk.apply("--allow-other-account")
    assert desk.plan().code == 0


def test_an_older_inventory_does_not_say_which_key_wrote_it(desk: Sandbox) -> None:
    """That all of it is gone is told all the same."""
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    document = state(desk)
    del document["account"]
    desk.write("state/novita.json", {**document, "base_url": ""})
    empty(desk)
    ran = desk.run("plan")
    assert ran.code == 3
    assert "does not say which API key wrote it" in ran.err


def test_with_the_flag_it_says_what_it_leaves(desk: Sandbox, other: Server) -> None:
    """The inventory moves: the next plan talks to the new account without a word."""
    desk.declare(item("e0"), item("e1"))
    desk.apply()
    move(desk, other, same_host=False)
    ran = desk.apply("--allow-other-account")
    assert (
        f"Warning: the inventory was written for {desk.sim.url}, and this run talks to {other.url}" in ran.err
    )
    assert state(desk)["base_url"] == other.url
    assert {one["name"] for one in other.world.endpoints} == {"e0", "e1"} == set(desk.live())
    assert desk.plan().code == 0
    assert desk.plan().codes == []


def test_another_key_alone_is_a_note(desk: Sandbox) -> None:
    """A rotation asks nothing, and the next apply notes the new key, also with nothing else to do."""
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    desk.monkeypatch.setenv("NOVITA_API_KEY", "sk_rotated")
    ran = desk.run("plan", "--detailed-exitcode")
    assert ran.code == 0
    assert "Note: the API key differs from the one that wrote this inventory" in ran.err
    desk.apply()
    assert "key differs" not in desk.run("plan").err
    before = files(desk)
    desk.apply()
    assert files(desk) == before


def test_one_that_is_gone_is_created_anew_and_a_key_is_noted(desk: Sandbox) -> None:
    """One of one may well have been deleted by somebody."""
    desk.declare(item("chat"))
    desk.apply()
    empty(desk)
    desk.monkeypatch.setenv("NOVITA_API_KEY", OTHER_KEY)
    planned = desk.plan()
    assert (planned.code, planned.actions, planned.codes) == (2, {"chat": "create"}, ["other-key"])


def test_with_a_state_key_several_keys_are_meant(desk: Sandbox) -> None:
    """No note for each of them, and no write of a run that has nothing to do."""
    desk.monkeypatch.setenv("RECONCILER_STATE_KEY", "zK3vQ9xT7bN1mW5cR8pL2dF6gH4jS0yA")
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    before = files(desk)
    desk.monkeypatch.setenv("NOVITA_API_KEY", "sk_of-a-colleague")
    assert desk.plan().codes == []
    desk.apply()
    assert files(desk) == before
    empty(desk)
    assert "The API key differs" in desk.run("plan").err


def test_our_own_deletes_are_no_other_account(desk: Sandbox) -> None:
    """A destroy that was killed right after the last delete was carried out is simply finished."""
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    desk.killed("delete", "--parallelism", "2", when="after", nth=2, command=("destroy", "--yes"))
    assert desk.live() == {}
    ran = desk.run("destroy", "--yes")
    assert ran.code == 0, ran.err
    assert desk.inventory == {}


def test_the_same_machine_by_another_name(desk: Sandbox) -> None:
    """localhost and 127.0.0.1 are one host; another port is another."""
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    desk.monkeypatch.setenv("NOVITA_BASE_URL", desk.sim.url.replace("127.0.0.1", "localhost"))
    assert desk.plan().codes == []


def test_who_only_looks_is_warned(desk: Sandbox, other: Server) -> None:
    """drift tells it and keeps its exit code; an empty inventory belongs to nobody."""
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    move(desk, other, same_host=False)
    ran = desk.run("drift")
    assert ran.code == 2
    assert "Warning: the inventory was written for" in ran.err
    assert desk.run("list").code == 0
    assert desk.run("-f", "endpoints.yaml", "--state", "fresh.json", "apply", "--yes").code == 0


def test_the_advice_can_be_typed(desk: Sandbox, other: Server) -> None:
    """What takes operands is not printed without them, and drift has no flag to agree with."""
    desk.declare(item("e0"), item("e1"))
    desk.apply()
    move(desk, other, same_host=False)
    theirs = other.world.console_create(name="theirs", appName="theirs")
    words = ("import", "theirs", theirs)
    ran = desk.run("drift")
    assert ("was written for" in ran.err, "--allow" in ran.err) == (True, False)
    ran = desk.run(*words)
    assert (ran.code, "the same command with --allow-other-account" in ran.err) == (3, True)
    assert desk.run(*words, "--allow-other-account").code == 0


def test_out_of_the_simulator_nothing_is_billed(desk: Sandbox) -> None:
    """Who has tried it there first is told the truth, and how to begin anew."""
    desk.declare(item("chat"))
    with desk.monkeypatch.context() as patch:
        patch.setenv("NOVITA_BASE_URL", "simulator")
        desk.apply()
    ran = desk.run("plan")
    assert (ran.code, "costs nothing" in ran.err, "billed" in ran.err) == (3, True, False)
    desk.apply("--allow-other-account")
    assert desk.run("plan", "--detailed-exitcode").code == 0
