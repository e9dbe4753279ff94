"""An inventory belongs to one account: another key or host asks before anything is made anew or forgotten."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.simulator import Server
from tests.e2e.sandbox import Sandbox, item

TWELVE = [f"e{number}" for number in range(12)]
OTHER_KEY = "sk_of-another-account"


def files(sandbox: Sandbox) -> dict[str, bytes]:
    return {name: data for name, data in sandbox.files().items() if ".lock" not in name}


def state(sandbox: Sandbox) -> Any:
    return json.loads((sandbox.root / "state/novita.json").read_text())


@pytest.fixture
def other(sandbox: Sandbox) -> Iterator[Server]:
    """Another account behind another address."""
    with Server(seed=2) as sim:
        yield sim


def empty(sandbox: Sandbox) -> None:
    """As an account looks that has never seen any of it."""
    for name in sandbox.live():
        sandbox.sim.world.console_delete(sandbox.id(name))


def move(sandbox: Sandbox, other: Server, *, same_host: bool) -> None:
    """From here on the run talks to the other account: under the same host with its key, or elsewhere."""
    if same_host:
        sandbox.monkeypatch.setenv("NOVITA_API_KEY", OTHER_KEY)
        empty(sandbox)
    else:
        sandbox.monkeypatch.setenv("NOVITA_BASE_URL", other.url)


def asks(sandbox: Sandbox, *words: str, says: str = "--allow-other-account") -> None:
    """Exit 3, the reason, and not a byte changed on either side."""
    before, writes = files(sandbox), len(sandbox.sent())
    ran = sandbox.run(*words)
    assert ran.code == 3, (words, ran.out, ran.err)
    assert says in ran.err
    assert "recorded endpoint" in ran.err or "was written for" in ran.err or "nothing that" in ran.err
    assert (files(sandbox), len(sandbox.sent())) == (before, writes)


EVERY = (
    ("plan",),
    ("apply", "--yes"),
    ("destroy", "--yes"),
    ("deploy", "new", "--image", "a/b:1", "--spec", "small", "--yes"),
    ("delete", "e0", "--yes"),
    ("state", "rebuild"),
)


@pytest.mark.parametrize(("count", "same_host"), [(1, False), (2, True), (2, False), (12, True), (12, False)])
def test_every_way_to_write_asks(sandbox: Sandbox, other: Server, same_host: bool, count: int) -> None:
    """All that was recorded is missing, or the host is another one."""
    sandbox.declare(*(item(name) for name in TWELVE[:count]))
    sandbox.apply()
    move(sandbox, other, same_host=same_host)
    for words in EVERY:
        asks(sandbox, *words)
    ran = sandbox.run("plan")
    assert f"Plan: {count} to add" in ran.out, "it is shown all the same"
    assert ("The API key differs from the one that wrote the inventory." in ran.err) is same_host
    assert other.requests == [] or not [one for one in other.requests if one.operation == "create"]


@pytest.mark.parametrize("same_host", [True, False])
def test_records_that_are_let_go(sandbox: Sandbox, other: Server, same_host: bool) -> None:
    """`removed:` and an empty file would forget them; a single one asks as well once the key is another."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    move(sandbox, other, same_host=same_host)
    sandbox.declare(removed=[{"endpoint": "chat", "destroy": False}])
    asks(sandbox, "apply", "--yes")
    asks(sandbox, "destroy", "--yes")
    sandbox.declare()
    asks(sandbox, "apply", "--yes", "--allow-delete", "0")


@pytest.mark.parametrize("words", [("scale", "chat", "3", "--yes"), ("delete", "chat", "--yes")])
def test_a_namesake_in_another_account_is_not_ours(
    sandbox: Sandbox, other: Server, words: tuple[str, ...]
) -> None:
    """By hand as well: it is changed only with the flag, and then it is not recorded in silence."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    other.world.console_create(name="chat", appName="chat")
    move(sandbox, other, same_host=False)
    asks(sandbox, *words)
    assert not [one for one in other.requests if one.operation in ("update", "delete")]
    assert sandbox.run(*words, "--allow-other-account").code == 0


def test_import_and_recover_ask(sandbox: Sandbox, other: Server) -> None:
    """What is there is not ours to record, and what is not there was not proven to be nothing."""
    sandbox.declare(item("e0"), item("e1"), item("lost"))
    sandbox.killed("create", when="before", nth=3)
    assert sandbox.run("recover").code == 0
    assert sandbox.apply().code == 0
    theirs = other.world.console_create(name="theirs", appName="theirs")
    move(sandbox, other, same_host=False)
    asks(sandbox, "import", "theirs", theirs)
    asks(sandbox, "import", "--all", "--out", "theirs.yaml")
    assert sandbox.run("import", "theirs", theirs, "--allow-other-account").code == 0


def test_an_open_create_is_not_settled_in_another_account(sandbox: Sandbox, other: Server) -> None:
    """The answer was lost in this account; that the other one has nothing of that name proves nothing."""
    sandbox.declare(item("chat"))
    sandbox.killed("create", when="before")
    for same_host in (False, True):
        move(sandbox, other, same_host=same_host)
        asks(sandbox, "recover")
        asks(sandbox, "recover", "chat", "--none")
        asks(sandbox, "apply", "--yes")
        sandbox.monkeypatch.setenv("NOVITA_BASE_URL", sandbox.sim.url)
    assert sandbox.run("recover", "--allow-other-account").code == 0


@pytest.mark.parametrize(
    ("count", "gone", "code"), [(2, 1, 0), (9, 8, 0), (10, 2, 0), (10, 3, 3), (12, 4, 3), (3, 3, 3)]
)
def test_how_many_may_be_gone(sandbox: Sandbox, count: int, gone: int, code: int) -> None:
    """All of two or more, or 30 % of ten or more; whoever deleted them in the console says so by the flag."""
    sandbox.declare(*(item(name) for name in TWELVE[:count]))
    sandbox.apply()
    for name in TWELVE[:gone]:
        sandbox.sim.world.console_delete(sandbox.id(name))
    ran = sandbox.run("plan")
    assert ran.code == code
    if code:
        assert f"{gone} of the {count} recorded endpoints are not in this account" in ran.err
        assert "The API key is the one that wrote the inventory." in ran.err
        assert "deleted on purpose" in ran.err
    sandbox.apply("--allow-other-account")
    assert sandbox.plan().code == 0


def test_an_older_inventory_does_not_say_which_key_wrote_it(sandbox: Sandbox) -> None:
    """That all of it is gone is told all the same."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    document = state(sandbox)
    del document["account"]
    sandbox.write("state/novita.json", {**document, "base_url": ""})
    empty(sandbox)
    ran = sandbox.run("plan")
    assert ran.code == 3
    assert "does not say which API key wrote it" in ran.err


def test_with_the_flag_it_says_what_it_leaves(sandbox: Sandbox, other: Server) -> None:
    """The inventory moves: the next plan talks to the new account without a word."""
    sandbox.declare(item("e0"), item("e1"))
    sandbox.apply()
    move(sandbox, other, same_host=False)
    ran = sandbox.apply("--allow-other-account")
    assert (
        f"Warning: the inventory was written for {sandbox.sim.url}, and this run talks to {other.url}"
        in ran.err
    )
    assert state(sandbox)["base_url"] == other.url
    assert {one["name"] for one in other.world.endpoints} == {"e0", "e1"} == set(sandbox.live())
    assert sandbox.plan().code == 0
    assert sandbox.plan().codes == []


def test_another_key_alone_is_a_note(sandbox: Sandbox) -> None:
    """A rotation asks nothing, and the next apply notes the new key, also with nothing else to do."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    sandbox.monkeypatch.setenv("NOVITA_API_KEY", "sk_rotated")
    ran = sandbox.run("plan", "--detailed-exitcode")
    assert ran.code == 0
    assert "Note: the API key differs from the one that wrote this inventory" in ran.err
    sandbox.apply()
    assert "key differs" not in sandbox.run("plan").err
    before = files(sandbox)
    sandbox.apply()
    assert files(sandbox) == before


def test_one_that_is_gone_is_created_anew_and_a_key_is_noted(sandbox: Sandbox) -> None:
    """One of one may well have been deleted by somebody."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    empty(sandbox)
    sandbox.monkeypatch.setenv("NOVITA_API_KEY", OTHER_KEY)
    planned = sandbox.plan()
    assert (planned.code, planned.actions, planned.codes) == (2, {"chat": "create"}, ["other-key"])


def test_with_a_state_key_several_keys_are_meant(sandbox: Sandbox) -> None:
    """No note for each of them, and no write of a run that has nothing to do."""
    sandbox.monkeypatch.setenv("RECONCILER_STATE_KEY", "zK3vQ9xT7bN1mW5cR8pL2dF6gH4jS0yA")
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    before = files(sandbox)
    sandbox.monkeypatch.setenv("NOVITA_API_KEY", "sk_of-a-colleague")
    assert sandbox.plan().codes == []
    sandbox.apply()
    assert files(sandbox) == before
    empty(sandbox)
    assert "The API key differs" in sandbox.run("plan").err


def test_our_own_deletes_are_no_other_account(sandbox: Sandbox) -> None:
    """A destroy that was killed right after the last delete was carried out is simply finished."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    sandbox.killed("delete", "--parallelism", "2", when="after", nth=2, command=("destroy", "--yes"))
    assert sandbox.live() == {}
    ran = sandbox.run("destroy", "--yes")
    assert ran.code == 0, ran.err
    assert sandbox.inventory == {}


def test_the_same_machine_by_another_name(sandbox: Sandbox) -> None:
    """localhost and 127.0.0.1 are one host; another port is another."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    sandbox.monkeypatch.setenv("NOVITA_BASE_URL", sandbox.sim.url.replace("127.0.0.1", "localhost"))
    assert sandbox.plan().codes == []


def test_who_only_looks_is_warned(sandbox: Sandbox, other: Server) -> None:
    """drift tells it and keeps its exit code; an empty inventory belongs to nobody."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    move(sandbox, other, same_host=False)
    ran = sandbox.run("drift")
    assert ran.code == 2
    assert "Warning: the inventory was written for" in ran.err
    assert sandbox.run("list").code == 0
    assert sandbox.run("-f", "endpoints.yaml", "--state", "fresh.json", "apply", "--yes").code == 0


def test_the_advice_can_be_typed(sandbox: Sandbox, other: Server) -> None:
    """What takes operands is not printed without them, and drift has no flag to agree with."""
    sandbox.declare(item("e0"), item("e1"))
    sandbox.apply()
    move(sandbox, other, same_host=False)
    theirs = other.world.console_create(name="theirs", appName="theirs")
    words = ("import", "theirs", theirs)
    ran = sandbox.run("drift")
    assert ("was written for" in ran.err, "--allow" in ran.err) == (True, False)
    ran = sandbox.run(*words)
    assert (ran.code, "the same command with --allow-other-account" in ran.err) == (3, True)
    assert sandbox.run(*words, "--allow-other-account").code == 0


def test_out_of_the_simulator_nothing_is_billed(sandbox: Sandbox) -> None:
    """Who has tried it there first is told the truth, and how to begin anew."""
    sandbox.declare(item("chat"))
    with sandbox.monkeypatch.context() as patch:
        patch.setenv("NOVITA_BASE_URL", "simulator")
        sandbox.apply()
    ran = sandbox.run("plan")
    assert (ran.code, "costs nothing" in ran.err, "billed" in ran.err) == (3, True, False)
    sandbox.apply("--allow-other-account")
    assert sandbox.run("plan", "--detailed-exitcode").code == 0
