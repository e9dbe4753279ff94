"""Forgetting without deleting, over a socket."""

from tests.e2e.desk import Sandbox, item

RELEASED = [{"endpoint": "old", "destroy": False}]


def test_what_is_released_is_forgotten_and_lives_on(desk: Sandbox) -> None:
    """Nothing is sent, also for a protected endpoint; from then on it is nobody's."""
    desk.declare(item("new"), item("old", lifecycle={"preventDestroy": True}))
    desk.apply()
    desk.declare(item("new"), removed=RELEASED)
    planned = desk.run("plan", "--detailed-exitcode")
    assert planned.code == 2
    assert (
        "# novita_endpoint.old will no longer be managed by reconciler, but will not be destroyed"
        in planned.out
    )
    assert "1 endpoint is removed from the inventory, but not deleted." in planned.out
    desk.apply()
    assert (sorted(desk.live()), sorted(desk.inventory)) == (["new", "old"], ["new"])
    assert desk.sent("update", "delete") == []
    after = desk.plan()
    assert (after.code, after.document["unmanaged"][0]["name"]) == (0, "old")


def test_what_is_removed_otherwise_is_deleted(desk: Sandbox) -> None:
    """As if the entry were not there."""
    desk.declare(item("new"), item("old"))
    desk.apply()
    desk.declare(item("new"), removed=[{"endpoint": "old"}])
    desk.apply()
    assert sorted(desk.live()) == ["new"]


def test_destroy_spares_what_is_released(desk: Sandbox) -> None:
    """The YAML's word holds there too."""
    desk.declare(item("new"), item("old"))
    desk.apply()
    desk.declare(item("new"), removed=RELEASED)
    assert desk.run("destroy", "--yes").code == 0
    assert (sorted(desk.live()), desk.inventory) == (["old"], {})


def test_a_released_name_that_nobody_tracks_is_no_problem(desk: Sandbox) -> None:
    """The entry may stay in the file for as long as anybody likes."""
    desk.declare(removed=RELEASED)
    desk.sim.world.console_create(name="old")
    assert desk.plan().code == 0


def test_half_of_the_endpoints_may_be_released_at_once(desk: Sandbox) -> None:
    """The guard is about deletions."""
    names = [f"e{number}" for number in range(10)]
    desk.declare(*(item(name) for name in names))
    desk.apply()
    desk.declare(removed=[{"endpoint": name, "destroy": False} for name in names])
    assert desk.plan().actions == dict.fromkeys(names, "forget")
    desk.apply()
    assert len(desk.live()) == 10
