"""What must not pass unasked: exit 3, the whole plan printed, nothing written; and what passes when asked."""

import shutil

from tests.e2e.desk import Sandbox, item


def made(desk: Sandbox, *names: str) -> None:
    """These endpoints, declared and applied."""
    desk.declare(*(item(name) for name in names))
    desk.apply()


TEN = [f"e{number}" for number in range(10)]


def blocked(desk: Sandbox, *args: str, code: str, says: str = "", actions: dict[str, str]) -> None:
    """plan and apply end with 3, show all actions and the reason, and write nothing."""
    before, writes = desk.files(), len(desk.sent())
    for command in (("plan",), ("apply", "--auto-approve")):
        ran = desk.run(*command, *args)
        assert ran.code == 3, ran.err
        assert says in ran.err
        for name in actions:
            assert f"# novita_endpoint.{name} " in ran.out
        assert "Plan: " in ran.out
        ran = desk.run(*command, *args, "--json")
        assert ran.code == 3
        assert ran.actions == actions
        assert ran.codes == [code]
        assert ran.document["applyable"] is False
        assert ran.document["errored"] is False
    assert desk.run("plan", "--detailed-exitcode", *args).code == 3, "a guard comes before 2"
    assert desk.files() == before
    assert len(desk.sent()) == writes


def test_an_empty_file_does_not_delete_all(desk: Sandbox) -> None:
    """Nothing declared while something is recorded is refused, and --allow-delete with the number agrees."""
    made(desk, "chat", "embed")
    desk.declare()
    blocked(desk, code="empty-desired-set", says="destroy", actions={"chat": "delete", "embed": "delete"})
    desk.apply("--allow-delete", "2")
    assert desk.live() == {}


def test_nothing_declared_and_nothing_recorded(desk: Sandbox) -> None:
    """`endpoints: []` is valid, and with an empty inventory there is nothing to guard."""
    desk.declare()
    assert desk.plan().code == 0


def test_too_many_deletes(desk: Sandbox) -> None:
    """More than 30 % of ten tracked endpoints needs --allow-delete with exactly their number."""
    made(desk, *TEN)
    desk.declare(*(item(name) for name in TEN[:7]))
    assert desk.run("plan").code == 0, "three of ten are 30 %"
    desk.declare(*(item(name) for name in TEN[:6]))
    gone = dict.fromkeys(TEN[6:], "delete")
    blocked(desk, code="too-many-deletes", says="--allow-delete 4", actions=gone)
    for wrong in ("3", "5", "0"):
        blocked(
            desk, "--allow-delete", wrong, code="allow-delete-mismatch", says="--allow-delete 4", actions=gone
        )
    desk.apply("--allow-delete", "4")
    assert set(desk.live()) == set(TEN[:6])


def test_replaces_count_as_deletes(desk: Sandbox) -> None:
    """A replacement deletes, so it counts."""
    made(desk, *TEN)
    desk.declare(
        *(item(name, specName="large" if number < 4 else "small") for number, name in enumerate(TEN))
    )
    blocked(desk, code="too-many-deletes", actions=dict.fromkeys(TEN[:4], "replace"))
    desk.apply("--allow-delete", "4")
    assert desk.plan().code == 0


def test_a_guard_blocks_the_whole_apply(desk: Sandbox) -> None:
    """What is beyond doubt waits as well: a plan is consented to as a whole."""
    made(desk, "chat")
    desk.declare(item("new"))
    desk.write("endpoints.yaml", {"endpoints": []})
    blocked(desk, code="empty-desired-set", actions={"chat": "delete"})
    desk.sim.world.console_create(name="embed", appName="embed")
    desk.declare(item("chat", replicas=2), item("embed"))
    blocked(desk, code="adopt-would-overwrite", says="--adopt", actions={"chat": "scale", "embed": "adopt"})
    assert desk.live()["chat"]["workerConfig"]["minNum"] == 1


def test_prevent_destroy_stops_a_delete(desk: Sandbox) -> None:
    """A protected endpoint outlives its removal from the YAML, and is let go once the protection is off."""
    kept = item("chat", lifecycle={"preventDestroy": True})
    desk.declare(kept, item("embed"))
    desk.apply()
    desk.declare(item("embed"))
    blocked(desk, code="prevent-destroy", says="preventDestroy", actions={"chat": "delete"})
    blocked(
        desk, "--allow-delete", "1", code="prevent-destroy", says="preventDestroy", actions={"chat": "delete"}
    )
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    desk.declare(item("embed"))
    desk.apply()
    assert set(desk.live()) == {"embed"}


def test_prevent_destroy_stops_a_replacement(desk: Sandbox) -> None:
    """A change that would replace a protected endpoint is refused with the field that forces it."""
    desk.declare(item("chat", lifecycle={"preventDestroy": True}))
    desk.apply()
    desk.declare(item("chat", specName="large", lifecycle={"preventDestroy": True}))
    blocked(desk, code="prevent-destroy", says="replace", actions={"chat": "replace"})


def test_destroy_asks_for_no_number(desk: Sandbox) -> None:
    """`destroy` is exempt from the counts, deletes what is recorded, and nothing else."""
    made(desk, *TEN, "chat")
    other = desk.sim.world.console_create(name="other")
    ran = desk.run("destroy", "--auto-approve")
    assert ran.code == 0
    assert "Destroy complete! Resources: 11 destroyed." in ran.out
    assert [one["id"] for one in desk.sim.world.endpoints] == [other]
    assert desk.inventory == {}
    assert desk.run("destroy", "--auto-approve").code == 0, "and again: nothing to do"


def test_destroy_heeds_prevent_destroy(desk: Sandbox) -> None:
    """`destroy` stops at a protected endpoint, even when its YAML is gone."""
    desk.declare(item("chat", lifecycle={"preventDestroy": True}), item("embed"))
    desk.apply()
    for hide in (False, True):
        if hide:
            (desk.root / "endpoints.yaml").unlink()
        ran = desk.run("destroy", "--auto-approve")
        assert ran.code == 3
        assert "preventDestroy" in ran.err
        assert "# novita_endpoint.embed will be destroyed" in ran.out
        assert set(desk.live()) == {"chat", "embed"}


def test_destroy_may_be_aimed(desk: Sandbox) -> None:
    """--target and --exclude hold for destroy too."""
    made(desk, "chat", "chat-2", "embed", "rerank")
    assert desk.run("destroy", "--auto-approve", "--target", "chat*", "--exclude", "chat-2").code == 0
    assert set(desk.live()) == {"chat-2", "embed", "rerank"}


def test_a_glob_is_about_names(desk: Sandbox) -> None:
    """`*e*` means names with an e, not every address because each begins with `novita_endpoint.`."""
    made(desk, "chat", "embed")
    assert desk.run("destroy", "--auto-approve", "--target", "*e*").code == 0
    assert set(desk.live()) == {"chat"}


def test_an_equal_endpoint_is_adopted_without_a_write(desk: Sandbox) -> None:
    """Live and as declared: the record is all that is missing, and no consent to overwrite is needed."""
    made(desk, "chat")
    shutil.rmtree(desk.root / "state")
    writes = len(desk.sent())
    assert desk.plan().actions == {"chat": "adopt"}
    ran = desk.apply()
    assert "1 imported, 0 added, 0 changed" in ran.out
    assert len(desk.sent()) == writes
    assert desk.inventory["chat"]["id"] == desk.id("chat")
    assert desk.plan().code == 0


def test_a_different_endpoint_is_overwritten_only_with_adopt(desk: Sandbox) -> None:
    """Live and different: refused with what would be overwritten; --adopt or `novita.adopt` agree to it."""
    desk.sim.world.console_create(name="chat", appName="born-elsewhere", rootfsSize=100)
    desk.declare(item("chat"))
    blocked(desk, code="adopt-would-overwrite", says="--adopt", actions={"chat": "adopt"})
    (change,) = desk.run("plan", "--json").document["resource_changes"]
    assert change["change"]["importing"] == {"id": desk.id("chat")}
    assert {one["cause"] for one in change["fields"]} == {"adopt"}
    known = desk.id("chat")
    desk.write("config.yaml", {"novita": {"adopt": True}})
    desk.apply()
    assert desk.plan().code == 0
    assert (desk.id("chat"), desk.live()["chat"]["appName"]) == (known, "born-elsewhere")


def test_adopting_never_replaces(desk: Sandbox) -> None:
    """An endpoint of others that differs in what cannot change is refused, with --adopt as well."""
    desk.sim.world.console_create(name="chat", appName="chat", rootfsSize=50)
    desk.declare(item("chat"))
    blocked(desk, "--adopt", code="adopt-would-replace", says="rootfsSize", actions={"chat": "adopt"})


def test_two_of_one_name(desk: Sandbox) -> None:
    """Two live endpoints of a declared name, none recorded: exit 1, both IDs, nothing else is touched."""
    first = desk.sim.world.console_create(name="chat", appName="one")
    second = desk.sim.world.console_create(name="chat", appName="two")
    desk.declare(item("chat"), item("embed"))
    for command in (("plan",), ("apply", "--auto-approve", "--adopt")):
        ran = desk.run(*command)
        assert ran.code == 1
        assert first in ran.err
        assert second in ran.err
        assert "# novita_endpoint.embed will be created" in ran.out
    assert desk.sent() == []


def test_the_record_tells_two_of_one_name_apart(desk: Sandbox) -> None:
    """With a recorded ID the other one of that name is a stranger: warned of, never touched."""
    made(desk, "chat")
    stranger = desk.sim.world.console_create(name="chat", appName="stranger")
    planned = desk.plan()
    assert planned.code == 0
    assert planned.codes == ["namesake"]
    assert stranger in planned.document["problems"][0]["summary"]
    desk.declare(item("embed"))
    desk.apply()
    assert [one["id"] for one in desk.sim.world.endpoints if one["name"] == "chat"] == [stranger]


def test_what_is_not_ours_is_never_touched(desk: Sandbox) -> None:
    """Endpoints nobody declared or recorded are listed, and survive every command."""
    others = {desk.sim.world.console_create(name=f"other-{number}") for number in range(3)}
    before = [one for one in desk.sim.world.endpoints if one["id"] in others]
    made(desk, "chat")
    planned = desk.plan()
    assert {one["id"] for one in planned.document["unmanaged"]} == others
    assert "3 endpoints of the account are not managed by this configuration:" in desk.run("plan").out
    desk.declare(item("embed"))
    desk.apply()
    desk.run("destroy", "--auto-approve")
    assert desk.sim.world.endpoints == before
    assert {one.body for one in desk.sent("delete")}
    assert not any(other.encode() in one.body for one in desk.sent() for other in others)


def test_a_renamed_endpoint_is_forgotten_not_deleted(desk: Sandbox) -> None:
    """A recorded ID that bears another name now is no longer ours to delete."""
    made(desk, "chat", "embed")
    desk.sim.world.console_update(desk.id("chat"), name="somebody-elses")
    desk.declare(item("embed"))
    assert desk.plan().actions == {"chat": "forget"}
    desk.apply()
    assert set(desk.live()) == {"somebody-elses", "embed"}
    assert set(desk.inventory) == {"embed"}
