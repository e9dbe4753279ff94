"""Names that change hands: swaps, chains and cycles of `renamedFrom` keep every endpoint."""

from collections.abc import Iterable

import pytest

from reconciler.simulator import Fault
from tests.e2e.desk import Sandbox, item

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
def three(desk: Sandbox, request: pytest.FixtureRequest) -> Sandbox:
    """A desk with three endpoints, in an account that allows equal names or refuses them."""
    desk.sim.world.switch(duplicate_names=request.param)
    desk.declare(*declared(dict.fromkeys(START, "")))
    desk.apply()
    return desk


def moved(desk: Sandbox, before: dict[str, str], moves: dict[str, str]) -> None:
    """Every endpoint has its new name, none was made or deleted, and a plan with the hints kept is empty."""
    assert {new: desk.id(new) for new in moves} == {new: before[old or new] for new, old in moves.items()}
    assert {name: record["id"] for name, record in desk.inventory.items()} == {
        name: one["id"] for name, one in desk.live().items()
    }
    assert (len(desk.sent("create")), len(desk.sent("delete"))) == (3, 0)
    assert not any("renaming" in record for record in desk.inventory.values())
    writes = len(desk.sent())
    assert (desk.plan().code, [one for one in desk.plan().codes if "rename" in one]) == (0, [])
    desk.apply()
    assert len(desk.sent()) == writes


def ids(desk: Sandbox, names: Iterable[str] = START) -> dict[str, str]:
    return {name: desk.id(name) for name in names}


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
def test_a_swap_that_was_killed_and_taken_back(desk: Sandbox, when: str, nth: int) -> None:
    """The hints are removed again: no endpoint is made or deleted, and none is unrecorded."""
    desk.declare(*declared(dict.fromkeys(START, "")))
    desk.apply()
    desk.declare(*declared(MOVES["a swap"]))
    desk.killed("update", "--parallelism", "1", when=when, nth=nth)
    desk.declare(*(item(name, image=f"{name}:1") for name in START))
    desk.apply()
    assert (len(desk.sent("create")), len(desk.sent("delete"))) == (3, 0)
    assert ids(desk) == {name: record["id"] for name, record in desk.inventory.items()}
    assert desk.plan().code == 0


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_swap_that_was_killed_and_given_up(desk: Sandbox, nth: int) -> None:
    """Everything that is ours is deleted, whatever it is called by now."""
    desk.declare(*declared(dict.fromkeys(START, "")))
    desk.apply()
    desk.declare(*declared(MOVES["a cycle of three"]))
    desk.killed("update", "--parallelism", "1", when="after", nth=nth)
    assert desk.run("destroy", "--auto-approve").code == 0
    assert desk.live() == {}


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


def test_preview_shows_every_request(desk: Sandbox) -> None:
    """In the order of sending, the temporary name among them; what is shown is what is sent."""
    desk.declare(*declared(dict.fromkeys(START, "")))
    desk.apply()
    desk.declare(*declared(MOVES["a swap"]))
    names = [one["body"]["name"] for one in desk.run("preview", "--json").document]
    assert names[1:] == ["a", "b"]
    assert names[0].startswith("a-renaming-")
    desk.run("plan", "--out", "the.plan")
    assert "meanwhile" in desk.run("plan").err
    assert desk.run("apply", "the.plan").code == 0
    assert len(desk.sent("update")) == 3


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


def test_a_name_that_is_still_declared_is_not_taken(desk: Sandbox) -> None:
    """Without a hint of its own it keeps its endpoint; the message says what helps, and following it does."""
    desk.declare(*declared(dict.fromkeys(START, "")))
    desk.apply()
    items = declared(dict.fromkeys(START, ""))
    desk.declare(items[0], {**items[1], "renamedFrom": "a"}, items[2])
    ran = desk.run("apply", "--auto-approve")
    assert ran.code == 1
    assert "`b` cannot be renamed from `a`: `a` is still declared" in ran.err
    assert "renamedFrom" in ran.err
    assert len(desk.sent()) == 3
    before = ids(desk)
    desk.declare(*declared({"a": "b", "b": "a", "c": ""}))
    desk.apply()
    moved(desk, before, {"a": "b", "b": "a", "c": ""})


@pytest.mark.parametrize("flags", [(), ("--create-first",)])
def test_a_swap_in_which_one_is_replaced(desk: Sandbox, flags: tuple[str, ...]) -> None:
    """Nothing is deleted whose successor could not be made: its app name stays with the other endpoint.

    Under another app name the replacement and the rename are done in one apply.
    """
    desk.declare(item("a"), item("b"))
    desk.apply()
    kept = desk.id("a")
    replaced = item("a", renamedFrom="b", specName="large")
    desk.declare(replaced, item("b", renamedFrom="a"))
    ran = desk.run("apply", "--auto-approve", *flags)
    assert ran.code == 1
    assert f"the app name `a`, which {kept} (`a`) has and keeps" in ran.err
    assert desk.sent("update", "delete") == []
    desk.declare({**replaced, "appName": "a-2"}, item("b", renamedFrom="a"))
    desk.apply(*flags)
    assert desk.id("b") == kept
    assert {record["id"] for record in desk.inventory.values()} == {
        one["id"] for one in desk.sim.world.endpoints
    }
    assert (len(desk.sent("create")), len(desk.sent("delete"))) == (3, 1)
    assert desk.plan().code == 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["update", "delete", "create"])
def test_a_swap_in_which_one_is_replaced_that_was_killed(desk: Sandbox, operation: str, when: str) -> None:
    """At any step: the next apply ends it, and nothing is left unrecorded."""
    desk.declare(item("a"), item("b"))
    desk.apply()
    kept = desk.id("a")
    desk.declare(item("a", renamedFrom="b", specName="large", appName="a-2"), item("b", renamedFrom="a"))
    desk.killed(operation, "--parallelism", "1", when=when)
    desk.apply()
    assert desk.id("b") == kept
    assert {record["id"] for record in desk.inventory.values()} == {
        one["id"] for one in desk.sim.world.endpoints
    }
    assert (desk.plan().code, set(desk.live())) == (0, {"a", "b"})


def test_names_go_round_right_after_a_swap(desk: Sandbox) -> None:
    """A hint that was carried out counts once more where its endpoint gives the name to another one."""
    desk.declare(*declared(dict.fromkeys(START, "")))
    desk.apply()
    desk.declare(*declared({"a": "b", "b": "a", "c": ""}))
    desk.apply()
    before = ids(desk)
    kept = {"a": "app-b", "b": "app-a", "c": "app-c"}
    cycle = {"a": "b", "b": "c", "c": "a"}
    desk.declare(*(item(new, image="x:1", appName=kept[old], renamedFrom=old) for new, old in cycle.items()))
    desk.apply()
    assert ids(desk) == {new: before[old] for new, old in cycle.items()}
    assert desk.plan().code == 0


def test_one_of_a_swap_is_lost_while_it_is_replaced(desk: Sandbox) -> None:
    """The other one has its new name already and keeps it: only what is lost is made anew."""
    desk.declare(item("chat"), item("other"))
    desk.apply()
    other = desk.id("other")
    chat = item("chat", appName="other", renamedFrom="other")
    desk.declare(chat, item("other", appName="chat", renamedFrom="chat"))
    desk.killed("update", "--parallelism", "1", when="after", nth=2)
    desk.declare(chat, item("other", appName="chat-new", renamedFrom="chat"))
    desk.sim.faults.add(Fault(operation="create", status=400, reason="VALIDATOR_PARAM"))
    assert desk.run("apply", "--yes").code == 4
    assert desk.plan().actions == {"other": "create"}
    desk.apply()
    assert desk.id("chat") == other
    assert desk.plan().code == 0
