"""Names that change hands: swaps, chains and cycles of `renamedFrom` keep every endpoint."""

from collections.abc import Iterable

import pytest

from reconciler.simulator import Fault
from tests.e2e.sandbox import Sandbox, item

START = ("a", "b", "c")
MOVES: dict[str, dict[str, str]] = {
    "a swap": {"a": "b", "b": "a", "c": ""},
    "a chain": {"b": "a", "c": "b", "d": "c"},
    "a chain into a new name": {"c": "", "d": "b", "b": "a"},
    "a cycle of three": {"a": "c", "b": "a", "c": "b"},
}
"""New name -> the name that it had before; "" for one that keeps it."""


def declared(moves: dict[str, str], **fields: object) -> list[dict[str, object]]:
    """Each endpoint keeps its image and its app name, whatever it is called."""
    return [
        item(
            new,
            image=f"{old or new}:1",
            appName=f"app-{old or new}",
            **({"renamedFrom": old} if old else {}),
            **fields,
        )
        for new, old in moves.items()
    ]


@pytest.fixture(params=["allow", "refuse"])
def three(sandbox: Sandbox, request: pytest.FixtureRequest) -> Sandbox:
    """A sandbox with three endpoints, in an account that allows equal names or refuses them."""
    sandbox.sim.world.switch(duplicate_names=request.param)
    sandbox.declare(*declared(dict.fromkeys(START, "")))
    sandbox.apply()
    return sandbox


def moved(sandbox: Sandbox, before: dict[str, str], moves: dict[str, str]) -> None:
    """Every endpoint has its new name, none was made or deleted, and a plan with the hints kept is empty."""
    assert {new: sandbox.id(new) for new in moves} == {new: before[old or new] for new, old in moves.items()}
    assert {name: record["id"] for name, record in sandbox.inventory.items()} == {
        name: one["id"] for name, one in sandbox.live().items()
    }
    assert (len(sandbox.sent("create")), len(sandbox.sent("delete"))) == (3, 0)
    assert not any("renaming" in record for record in sandbox.inventory.values())
    writes = len(sandbox.sent())
    assert (sandbox.plan().code, [one for one in sandbox.plan().codes if "rename" in one]) == (0, [])
    sandbox.apply()
    assert len(sandbox.sent()) == writes


def ids(sandbox: Sandbox, names: Iterable[str] = START) -> dict[str, str]:
    return {name: sandbox.id(name) for name in names}


@pytest.mark.parametrize("parallelism", ["1", "10"])
@pytest.mark.parametrize("case", MOVES)
def test_names_change_hands_in_place(three: Sandbox, case: str, parallelism: str) -> None:
    """In one apply; what is left over in the YAML changes nothing afterwards."""
    before = ids(three)
    three.declare(*declared(MOVES[case]))
    assert set(three.plan().actions.values()) == {"update"}
    three.apply("--parallelism", parallelism)
    moved(three, before, MOVES[case])


@pytest.mark.parametrize("case", ["a swap", "a cycle of three", "a chain"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_run_killed_at_any_step_is_gone_on_with(three: Sandbox, case: str, when: str, nth: int) -> None:
    before = ids(three)
    three.declare(*declared(MOVES[case]))
    three.killed("update", "--parallelism", "1", when=when, nth=nth)
    three.apply()
    moved(three, before, MOVES[case])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_swap_that_was_killed_and_taken_back(sandbox: Sandbox, when: str, nth: int) -> None:
    """The hints are removed again: no endpoint is made or deleted, and none is unrecorded."""
    sandbox.declare(*declared(dict.fromkeys(START, "")))
    sandbox.apply()
    sandbox.declare(*declared(MOVES["a swap"]))
    sandbox.killed("update", "--parallelism", "1", when=when, nth=nth)
    sandbox.declare(*(item(name, image=f"{name}:1") for name in START))
    sandbox.apply()
    assert (len(sandbox.sent("create")), len(sandbox.sent("delete"))) == (3, 0)
    assert ids(sandbox) == {name: record["id"] for name, record in sandbox.inventory.items()}
    assert sandbox.plan().code == 0


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_swap_that_was_killed_and_given_up(sandbox: Sandbox, nth: int) -> None:
    """Everything that is ours is deleted, whatever it is called by now."""
    sandbox.declare(*declared(dict.fromkeys(START, "")))
    sandbox.apply()
    sandbox.declare(*declared(MOVES["a cycle of three"]))
    sandbox.killed("update", "--parallelism", "1", when="after", nth=nth)
    assert sandbox.run("destroy", "--auto-approve").code == 0
    assert sandbox.live() == {}


def test_an_update_that_is_refused_on_the_way(three: Sandbox) -> None:
    """The next apply goes on from there."""
    before = ids(three)
    three.declare(*declared(MOVES["a cycle of three"]))
    for number in range(3):
        three.sim.faults.add(Fault(operation="update", status=400, reason="VALIDATOR_PARAM"))
        assert three.run("apply", "--auto-approve", "--parallelism", "1").code == 4, number
    three.sim.faults.clear()
    three.apply()
    moved(three, before, MOVES["a cycle of three"])


def test_fields_change_with_the_names(three: Sandbox) -> None:
    before = ids(three)
    three.declare(*declared(MOVES["a swap"], replicas=2))
    three.apply()
    moved(three, before, MOVES["a swap"])
    assert {one["workerConfig"]["maxNum"] for one in three.live().values()} == {2}


def test_preview_shows_every_request(sandbox: Sandbox) -> None:
    """In the order of sending, the temporary name among them; what is shown is what is sent."""
    sandbox.declare(*declared(dict.fromkeys(START, "")))
    sandbox.apply()
    sandbox.declare(*declared(MOVES["a swap"]))
    names = [one["body"]["name"] for one in sandbox.run("preview", "--json").document]
    assert names[1:] == ["a", "b"]
    assert names[0].startswith("a-renaming-")
    sandbox.run("plan", "--out", "the.plan")
    assert "meanwhile" in sandbox.run("plan").err
    assert sandbox.run("apply", "the.plan").code == 0
    assert len(sandbox.sent("update")) == 3


def test_half_of_a_swap_is_not_begun(three: Sandbox) -> None:
    """With --target, an endpoint does not take a name that another keeps: nothing is lost, and it is said."""
    before = ids(three)
    three.declare(*declared(MOVES["a swap"]))
    ran = three.run("apply", "--auto-approve", "--target", "a")
    assert ran.code in (1, 3, 4)
    assert "cannot be renamed" in ran.err + ran.out
    assert ids(three) == before
    three.apply()
    moved(three, before, MOVES["a swap"])


def test_a_name_that_is_still_declared_is_not_taken(sandbox: Sandbox) -> None:
    """Without a hint of its own it keeps its endpoint; the message says what helps, and following it does."""
    sandbox.declare(*declared(dict.fromkeys(START, "")))
    sandbox.apply()
    items = declared(dict.fromkeys(START, ""))
    sandbox.declare(items[0], {**items[1], "renamedFrom": "a"}, items[2])
    ran = sandbox.run("apply", "--auto-approve")
    assert ran.code == 1
    assert "`b` cannot be renamed from `a`: `a` is still declared" in ran.err
    assert "renamedFrom" in ran.err
    assert len(sandbox.sent()) == 3
    before = ids(sandbox)
    sandbox.declare(*declared({"a": "b", "b": "a", "c": ""}))
    sandbox.apply()
    moved(sandbox, before, {"a": "b", "b": "a", "c": ""})


@pytest.mark.parametrize("flags", [(), ("--create-first",)])
def test_a_swap_in_which_one_is_replaced(sandbox: Sandbox, flags: tuple[str, ...]) -> None:
    """Nothing is deleted whose successor could not be made: its app name stays with the other endpoint.

    Under another app name the replacement and the rename are done in one apply.
    """
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    kept = sandbox.id("a")
    replaced = item("a", renamedFrom="b", specName="large")
    sandbox.declare(replaced, item("b", renamedFrom="a"))
    ran = sandbox.run("apply", "--auto-approve", *flags)
    assert ran.code == 1
    assert f"the app name `a`, which {kept} (`a`) has and keeps" in ran.err
    assert sandbox.sent("update", "delete") == []
    sandbox.declare({**replaced, "appName": "a-2"}, item("b", renamedFrom="a"))
    sandbox.apply(*flags)
    assert sandbox.id("b") == kept
    assert {record["id"] for record in sandbox.inventory.values()} == {
        one["id"] for one in sandbox.sim.world.endpoints
    }
    assert (len(sandbox.sent("create")), len(sandbox.sent("delete"))) == (3, 1)
    assert sandbox.plan().code == 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["update", "delete", "create"])
def test_a_swap_in_which_one_is_replaced_that_was_killed(sandbox: Sandbox, operation: str, when: str) -> None:
    """At any step: the next apply ends it, and nothing is left unrecorded."""
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    kept = sandbox.id("a")
    sandbox.declare(item("a", renamedFrom="b", specName="large", appName="a-2"), item("b", renamedFrom="a"))
    sandbox.killed(operation, "--parallelism", "1", when=when)
    sandbox.apply()
    assert sandbox.id("b") == kept
    assert {record["id"] for record in sandbox.inventory.values()} == {
        one["id"] for one in sandbox.sim.world.endpoints
    }
    assert (sandbox.plan().code, set(sandbox.live())) == (0, {"a", "b"})


@pytest.mark.parametrize("with_app_names", [True, False])
def test_names_go_round_right_after_a_swap(sandbox: Sandbox, with_app_names: bool) -> None:
    """A hint that was carried out counts once more where its endpoint gives the name to another one."""
    sandbox.declare(*declared(dict.fromkeys(START, "")))
    sandbox.apply()
    sandbox.declare(*declared({"a": "b", "b": "a", "c": ""}))
    sandbox.apply()
    before = ids(sandbox)
    kept = {"a": "app-b", "b": "app-a", "c": "app-c"}
    cycle = {"a": "b", "b": "c", "c": "a"}
    app_names = {new: {"appName": kept[old]} if with_app_names else {} for new, old in cycle.items()}
    sandbox.declare(
        *(item(new, image="x:1", renamedFrom=old, **app_names[new]) for new, old in cycle.items())
    )
    sandbox.apply()
    assert ids(sandbox) == {new: before[old] for new, old in cycle.items()}
    assert sandbox.plan().code == 0


def test_one_of_a_swap_is_lost_while_it_is_replaced(sandbox: Sandbox) -> None:
    """The other one has its new name already and keeps it: only what is lost is made anew."""
    sandbox.declare(item("chat"), item("other"))
    sandbox.apply()
    other = sandbox.id("other")
    chat = item("chat", appName="other", renamedFrom="other")
    sandbox.declare(chat, item("other", appName="chat", renamedFrom="chat"))
    sandbox.killed("update", "--parallelism", "1", when="after", nth=2)
    sandbox.declare(chat, item("other", appName="chat-new", renamedFrom="chat"))
    sandbox.sim.faults.add(Fault(operation="create", status=400, reason="VALIDATOR_PARAM"))
    assert sandbox.run("apply", "--yes").code == 4
    assert sandbox.plan().actions == {"other": "create"}
    sandbox.apply()
    assert sandbox.id("chat") == other
    assert sandbox.plan().code == 0


APP_NAMES = {name: {"appName": f"app-{name}"} for name in START}
SPECS = {"a": {"specName": "small"}, "b": {"specName": "large"}, "c": {"specName": "small"}}
BOTH = {name: APP_NAMES[name] | SPECS[name] for name in START}


def exchange_again(sandbox: Sandbox, case: str, fields: dict[str, dict[str, str]]) -> dict[str, str]:
    """Exchange the names, and declare the same exchange once more. Return the ID that each name is to get.

    fields: of each endpoint at first; they stay with it under its new names.
    """
    hints = {new: {"renamedFrom": old} if old else {} for new, old in MOVES[case].items()}
    moves = {new: old or new for new, old in MOVES[case].items()}
    sandbox.declare(*(item(name, **fields[name]) for name in START))
    for _ in range(2):
        sandbox.apply()
        before = ids(sandbox)
        fields = {new: fields[old] for new, old in moves.items()}
        sandbox.declare(*(item(name, **fields[name], **hints[name]) for name in START))
    return {new: before[old] for new, old in moves.items()}


@pytest.mark.parametrize("fields", [APP_NAMES, SPECS, BOTH], ids=["app name", "spec", "both"])
@pytest.mark.parametrize("case", ["a swap", "a cycle of three"])
def test_the_same_exchange_declared_once_more(
    sandbox: Sandbox, case: str, fields: dict[str, dict[str, str]]
) -> None:
    """The hints are those that were carried out. Without an exchange, endpoints would be replaced."""
    expected = exchange_again(sandbox, case, fields)
    assert set(sandbox.plan().actions.values()) == {"update"}
    sandbox.apply()
    assert ids(sandbox) == expected
    assert (sandbox.sent("delete"), sandbox.plan().code) == ([], 0)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_an_exchange_declared_once_more_that_was_killed(sandbox: Sandbox, when: str, nth: int) -> None:
    """The next apply goes on."""
    expected = exchange_again(sandbox, "a swap", APP_NAMES)
    sandbox.killed("update", "--parallelism", "1", when=when, nth=nth)
    sandbox.apply()
    assert ids(sandbox) == expected
    assert (sandbox.sent("delete"), sandbox.plan().code) == ([], 0)


def test_half_of_an_exchange_declared_once_more_is_not_begun(sandbox: Sandbox) -> None:
    expected = exchange_again(sandbox, "a swap", APP_NAMES)
    before = ids(sandbox)
    ran = sandbox.run("apply", "--auto-approve", "--target", "a")
    assert ran.code in (1, 3, 4)
    assert ids(sandbox) == before
    sandbox.apply()
    assert ids(sandbox) == expected


def test_an_exchange_that_is_left_over_and_other_specs(sandbox: Sandbox) -> None:
    """One endpoint that is replaced for its new spec is no exchange."""
    sandbox.declare(item("a", appName="app-a"), item("b", appName="app-b"))
    sandbox.apply()
    a, b = item("a", appName="app-b", renamedFrom="b"), item("b", appName="app-a", renamedFrom="a")
    sandbox.declare(a, b)
    sandbox.apply()
    sandbox.declare({**a, "specName": "large"}, b)
    assert sandbox.plan().actions == {"a": "replace"}
