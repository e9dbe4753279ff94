"""`--resume` finishes what was approved, and `--no-delete` leaves out what deletes."""

import pytest

from .desk import KEY, Desk, item


def test_the_rest_is_done_without_asking(desk: Desk) -> None:
    """Exactly what is left of the approval, and then nothing is left to resume."""
    desk.declare(*(item(f"e{n}") for n in range(4)))
    desk.killed("create", "--parallelism", "1", nth=2)
    assert len(desk.live()) == 2
    ran = desk.run("apply", "--resume")
    assert ran.code == 0, ran.err
    assert set(desk.live()) == {"e0", "e1", "e2", "e3"}
    assert len(desk.sim.world.endpoints) == 4
    assert desk.plan().code == 0
    again = desk.run("apply", "--resume")
    assert (again.code, "nothing was left unfinished" in again.err) == (1, True)


def test_a_touched_object_stops_it(desk: Desk) -> None:
    """The approval was for another difference."""
    desk.declare(item("a"), item("b"))
    desk.apply()
    desk.declare(item("a", port=9000), item("b", port=9000))
    desk.killed("update", "--parallelism", "1", nth=1)
    desk.sim.world.console_update(desk.id("b"), ports=[{"port": 7000}])
    ran = desk.run("apply", "--resume")
    assert ran.code == 6
    assert "b: update then and now, but not the same" in ran.err
    assert desk.live()["b"]["ports"] == [{"port": 7000}]


def test_an_edit_is_not_part_of_the_approval(desk: Desk) -> None:
    """What the files say since then waits for an approval of its own."""
    desk.declare(item("a"), item("b"))
    desk.killed("create", "--parallelism", "1", nth=1)
    desk.declare(item("a"), item("b"), item("c"))
    assert desk.run("apply", "--resume").code == 0
    assert set(desk.live()) == {"a", "b"}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_replacement_cut_in_half_is_completed(desk: Desk, when: str) -> None:
    """Deleted and not created: the second half was approved as well."""
    desk.declare(item("a"))
    desk.apply()
    desk.declare(item("a", specName="large"))
    desk.killed("create", when=when)
    ran = desk.run("apply", "--resume")
    assert ran.code == 0, ran.err
    assert [one["products"] for one in desk.sim.world.endpoints] == [[{"id": "SL-serverless-9"}]]
    assert desk.plan().code == 0


def test_what_is_left_behind_holds_no_secret(desk: Desk) -> None:
    """The approval on disk knows bodies by their digests, and goes when all is done."""
    desk.monkeypatch.setenv("TOKEN", "hf-the-secret-itself")
    desk.declare(item("a", env={"TOKEN": "${env:TOKEN}"}), item("b"))
    desk.killed("create", "--parallelism", "1")
    left = (desk.root / "state" / "novita.json.approved.json").read_text()
    assert "hf-the-secret-itself" not in left
    assert KEY not in left
    assert desk.run("apply", "--resume").code == 0
    assert "state/novita.json.approved.json" not in desk.files()


def test_resume_takes_no_other_options(desk: Desk) -> None:
    """What was approved is all that counts."""
    assert desk.run("apply", "--resume", "the.plan").code == 64
    assert desk.run("apply", "--resume", "--target", "a").code == 64


def test_no_delete_applies_everything_but(desk: Desk) -> None:
    """Deletes and replacements are left out and told; the next apply without it does them."""
    desk.declare(item("gone"), item("moved"), item("kept"))
    desk.apply()
    desk.declare(item("moved", specName="large"), item("kept", port=9000), item("new"))
    shown = desk.plan("--no-delete")
    assert shown.actions == {"kept": "update", "new": "create"}
    assert shown.codes.count("not-deleted") == 2
    desk.apply("--no-delete")
    assert set(desk.live()) == {"gone", "moved", "kept", "new"}
    assert desk.plan().actions == {"gone": "delete", "moved": "replace"}


def test_a_saved_plan_knows_what_it_left_out(desk: Desk) -> None:
    """`--no-delete` is part of what was reviewed."""
    desk.declare(item("gone"), item("kept"))
    desk.apply()
    desk.declare(item("kept", port=9000))
    assert desk.run("plan", "--no-delete", "--out", "the.plan").code == 0
    assert desk.run("apply", "the.plan").code == 0
    assert set(desk.live()) == {"gone", "kept"}
