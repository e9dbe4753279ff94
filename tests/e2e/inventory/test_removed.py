"""Forgetting without deleting, over a socket."""

from tests.e2e.sandbox import Sandbox, item

RELEASED = [{"endpoint": "old", "destroy": False}]


def test_what_is_released_is_forgotten_and_lives_on(sandbox: Sandbox) -> None:
    """Nothing is sent, also for a protected endpoint; from then on it is nobody's."""
    sandbox.declare(item("new"), item("old", lifecycle={"preventDestroy": True}))
    sandbox.apply()
    sandbox.declare(item("new"), removed=RELEASED)
    planned = sandbox.run("plan", "--detailed-exitcode")
    assert planned.code == 2
    assert (
        "# novita_endpoint.old will no longer be managed by reconciler, but will not be destroyed"
        in planned.out
    )
    assert "1 endpoint is removed from the inventory, but not deleted." in planned.out
    sandbox.apply()
    assert (sorted(sandbox.live()), sorted(sandbox.inventory)) == (["new", "old"], ["new"])
    assert sandbox.sent("update", "delete") == []
    after = sandbox.plan()
    assert (after.code, after.document["unmanaged"][0]["name"]) == (0, "old")


def test_what_is_removed_otherwise_is_deleted(sandbox: Sandbox) -> None:
    """As if the entry were not there."""
    sandbox.declare(item("new"), item("old"))
    sandbox.apply()
    sandbox.declare(item("new"), removed=[{"endpoint": "old"}])
    sandbox.apply()
    assert sorted(sandbox.live()) == ["new"]


def test_destroy_spares_what_is_released(sandbox: Sandbox) -> None:
    """The YAML's word holds there too."""
    sandbox.declare(item("new"), item("old"))
    sandbox.apply()
    sandbox.declare(item("new"), removed=RELEASED)
    assert sandbox.run("destroy", "--yes").code == 0
    assert (sorted(sandbox.live()), sandbox.inventory) == (["old"], {})


def test_a_released_name_that_nobody_tracks_is_no_problem(sandbox: Sandbox) -> None:
    """The entry may stay in the file for as long as anybody likes."""
    sandbox.declare(removed=RELEASED)
    sandbox.sim.world.console_create(name="old")
    assert sandbox.plan().code == 0


def test_half_of_the_endpoints_may_be_released_at_once(sandbox: Sandbox) -> None:
    """The guard is about deletions."""
    names = [f"e{number}" for number in range(10)]
    sandbox.declare(*(item(name) for name in names))
    sandbox.apply()
    sandbox.declare(removed=[{"endpoint": name, "destroy": False} for name in names])
    assert sandbox.plan().actions == dict.fromkeys(names, "forget")
    sandbox.apply()
    assert len(sandbox.live()) == 10
