"""What must not pass unasked: exit 3, the whole plan printed, nothing written; and what passes when asked."""

import shutil

from tests.e2e.sandbox import Sandbox, item


def made(sandbox: Sandbox, *names: str) -> None:
    """These endpoints, declared and applied."""
    sandbox.declare(*(item(name) for name in names))
    sandbox.apply()


TEN = [f"e{number}" for number in range(10)]


def blocked(sandbox: Sandbox, *args: str, code: str, says: str = "", actions: dict[str, str]) -> None:
    """plan and apply end with 3, show all actions and the reason, and write nothing."""
    before, writes = sandbox.files(), len(sandbox.sent())
    for command in (("plan",), ("apply", "--auto-approve")):
        ran = sandbox.run(*command, *args)
        assert ran.code == 3, ran.err
        assert says in ran.err
        for name in actions:
            assert f"# novita_endpoint.{name} " in ran.out
        assert "Plan: " in ran.out
        ran = sandbox.run(*command, *args, "--json")
        assert ran.code == 3
        assert ran.actions == actions
        assert ran.codes == [code]
        assert ran.document["applyable"] is False
        assert ran.document["errored"] is False
    assert sandbox.run("plan", "--detailed-exitcode", *args).code == 3, "a guard comes before 2"
    assert sandbox.files() == before
    assert len(sandbox.sent()) == writes


def test_an_empty_file_does_not_delete_all(sandbox: Sandbox) -> None:
    """Nothing declared while something is recorded is refused, and --allow-delete with the number agrees."""
    made(sandbox, "chat", "embed")
    sandbox.declare()
    blocked(sandbox, code="empty-desired-set", says="destroy", actions={"chat": "delete", "embed": "delete"})
    sandbox.apply("--allow-delete", "2")
    assert sandbox.live() == {}


def test_nothing_declared_and_nothing_recorded(sandbox: Sandbox) -> None:
    """`endpoints: []` is valid, and with an empty inventory there is nothing to guard."""
    sandbox.declare()
    assert sandbox.plan().code == 0


def test_too_many_deletes(sandbox: Sandbox) -> None:
    """More than 30 % of ten tracked endpoints needs --allow-delete with exactly their number."""
    made(sandbox, *TEN)
    sandbox.declare(*(item(name) for name in TEN[:7]))
    assert sandbox.run("plan").code == 0, "three of ten are 30 %"
    sandbox.declare(*(item(name) for name in TEN[:6]))
    gone = dict.fromkeys(TEN[6:], "delete")
    blocked(sandbox, code="too-many-deletes", says="--allow-delete 4", actions=gone)
    for wrong in ("3", "5", "0"):
        blocked(
            sandbox,
            "--allow-delete",
            wrong,
            code="allow-delete-mismatch",
            says="--allow-delete 4",
            actions=gone,
        )
    sandbox.apply("--allow-delete", "4")
    assert set(sandbox.live()) == set(TEN[:6])


def test_replaces_count_as_deletes(sandbox: Sandbox) -> None:
    """A replacement deletes, so it counts."""
    made(sandbox, *TEN)
    sandbox.declare(
        *(item(name, specName="large" if number < 4 else "small") for number, name in enumerate(TEN))
    )
    blocked(sandbox, code="too-many-deletes", actions=dict.fromkeys(TEN[:4], "replace"))
    sandbox.apply("--allow-delete", "4")
    assert sandbox.plan().code == 0


def test_a_guard_blocks_the_whole_apply(sandbox: Sandbox) -> None:
    """What is beyond doubt waits as well: a plan is consented to as a whole."""
    made(sandbox, "chat")
    sandbox.declare(item("new"))
    sandbox.write("endpoints.yaml", {"endpoints": []})
    blocked(sandbox, code="empty-desired-set", actions={"chat": "delete"})
    sandbox.sim.world.console_create(name="embed", appName="embed")
    sandbox.declare(item("chat", replicas=2), item("embed"))
    blocked(
        sandbox, code="adopt-would-overwrite", says="--adopt", actions={"chat": "scale", "embed": "adopt"}
    )
    assert sandbox.live()["chat"]["workerConfig"]["minNum"] == 1


def test_prevent_destroy_stops_a_delete(sandbox: Sandbox) -> None:
    """A protected endpoint outlives its removal from the YAML, and is let go once the protection is off."""
    kept = item("chat", lifecycle={"preventDestroy": True})
    sandbox.declare(kept, item("embed"))
    sandbox.apply()
    sandbox.declare(item("embed"))
    blocked(sandbox, code="prevent-destroy", says="preventDestroy", actions={"chat": "delete"})
    blocked(
        sandbox,
        "--allow-delete",
        "1",
        code="prevent-destroy",
        says="preventDestroy",
        actions={"chat": "delete"},
    )
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    sandbox.declare(item("embed"))
    sandbox.apply()
    assert set(sandbox.live()) == {"embed"}


def test_prevent_destroy_stops_a_replacement(sandbox: Sandbox) -> None:
    """A change that would replace a protected endpoint is refused with the field that forces it."""
    sandbox.declare(item("chat", lifecycle={"preventDestroy": True}))
    sandbox.apply()
    sandbox.declare(item("chat", specName="large", lifecycle={"preventDestroy": True}))
    blocked(sandbox, code="prevent-destroy", says="replace", actions={"chat": "replace"})


def test_destroy_asks_for_no_number(sandbox: Sandbox) -> None:
    """`destroy` is exempt from the counts, deletes what is recorded, and nothing else."""
    made(sandbox, *TEN, "chat")
    other = sandbox.sim.world.console_create(name="other")
    ran = sandbox.run("destroy", "--auto-approve")
    assert ran.code == 0
    assert "Destroy complete! Resources: 11 destroyed." in ran.out
    assert [one["id"] for one in sandbox.sim.world.endpoints] == [other]
    assert sandbox.inventory == {}
    assert sandbox.run("destroy", "--auto-approve").code == 0, "and again: nothing to do"


def test_destroy_heeds_prevent_destroy(sandbox: Sandbox) -> None:
    """`destroy` stops at a protected endpoint, even when its YAML is gone."""
    sandbox.declare(item("chat", lifecycle={"preventDestroy": True}), item("embed"))
    sandbox.apply()
    for hide in (False, True):
        if hide:
            (sandbox.root / "endpoints.yaml").unlink()
        ran = sandbox.run("destroy", "--auto-approve")
        assert ran.code == 3
        assert "preventDestroy" in ran.err
        assert "# novita_endpoint.embed will be destroyed" in ran.out
        assert set(sandbox.live()) == {"chat", "embed"}


def test_destroy_may_be_aimed(sandbox: Sandbox) -> None:
    """--target and --exclude hold for destroy too."""
    made(sandbox, "chat", "chat-2", "embed", "rerank")
    assert sandbox.run("destroy", "--auto-approve", "--target", "chat*", "--exclude", "chat-2").code == 0
    assert set(sandbox.live()) == {"chat-2", "embed", "rerank"}


def test_a_glob_is_about_names(sandbox: Sandbox) -> None:
    """`*e*` means names with an e, not every address because each begins with `novita_endpoint.`."""
    made(sandbox, "chat", "embed")
    assert sandbox.run("destroy", "--auto-approve", "--target", "*e*").code == 0
    assert set(sandbox.live()) == {"chat"}


def test_an_equal_endpoint_is_adopted_without_a_write(sandbox: Sandbox) -> None:
    """Live and as declared: the record is all that is missing, and no consent to overwrite is needed."""
    made(sandbox, "chat")
    shutil.rmtree(sandbox.root / "state")
    writes = len(sandbox.sent())
    assert sandbox.plan().actions == {"chat": "adopt"}
    ran = sandbox.apply()
    assert "1 imported, 0 added, 0 changed" in ran.out
    assert len(sandbox.sent()) == writes
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat")
    assert sandbox.plan().code == 0


def test_a_different_endpoint_is_overwritten_only_with_adopt(sandbox: Sandbox) -> None:
    """Live and different: refused with what would be overwritten; --adopt or `novita.adopt` agree to it."""
    sandbox.sim.world.console_create(name="chat", appName="born-elsewhere", rootfsSize=100)
    sandbox.declare(item("chat"))
    blocked(sandbox, code="adopt-would-overwrite", says="--adopt", actions={"chat": "adopt"})
    (change,) = sandbox.run("plan", "--json").document["resource_changes"]
    assert change["change"]["importing"] == {"id": sandbox.id("chat")}
    assert {one["cause"] for one in change["fields"]} == {"adopt"}
    known = sandbox.id("chat")
    sandbox.write("config.yaml", {"novita": {"adopt": True}})
    sandbox.apply()
    assert sandbox.plan().code == 0
    assert (sandbox.id("chat"), sandbox.live()["chat"]["appName"]) == (known, "born-elsewhere")


def test_adopting_never_replaces(sandbox: Sandbox) -> None:
    """An endpoint of others that differs in what cannot change is refused, with --adopt as well."""
    sandbox.sim.world.console_create(name="chat", appName="chat", rootfsSize=50)
    sandbox.declare(item("chat"))
    blocked(
        sandbox,
        "--adopt",
        code="adopt-would-replace",
        says="specName.ephemeralStorage",
        actions={"chat": "adopt"},
    )


def test_two_of_one_name(sandbox: Sandbox) -> None:
    """Two live endpoints of a declared name, none recorded: exit 1, both IDs, nothing else is touched."""
    first = sandbox.sim.world.console_create(name="chat", appName="one")
    second = sandbox.sim.world.console_create(name="chat", appName="two")
    sandbox.declare(item("chat"), item("embed"))
    for command in (("plan",), ("apply", "--auto-approve", "--adopt")):
        ran = sandbox.run(*command)
        assert ran.code == 1
        assert first in ran.err
        assert second in ran.err
        assert "# novita_endpoint.embed will be created" in ran.out
    assert sandbox.sent() == []


def test_the_record_tells_two_of_one_name_apart(sandbox: Sandbox) -> None:
    """With a recorded ID the other one of that name is a stranger: warned of, never touched."""
    made(sandbox, "chat")
    stranger = sandbox.sim.world.console_create(name="chat", appName="stranger")
    planned = sandbox.plan()
    assert planned.code == 0
    assert planned.codes == ["namesake"]
    assert stranger in planned.document["problems"][0]["summary"]
    sandbox.declare(item("embed"))
    sandbox.apply()
    assert [one["id"] for one in sandbox.sim.world.endpoints if one["name"] == "chat"] == [stranger]


def test_what_is_not_ours_is_never_touched(sandbox: Sandbox) -> None:
    """Endpoints nobody declared or recorded are listed, and survive every command."""
    others = {sandbox.sim.world.console_create(name=f"other-{number}") for number in range(3)}
    before = [one for one in sandbox.sim.world.endpoints if one["id"] in others]
    made(sandbox, "chat")
    planned = sandbox.plan()
    assert {one["id"] for one in planned.document["unmanaged"]} == others
    assert sandbox.run("plan").out.endswith(
        "\n3 endpoints of the account are not managed by this configuration (-v lists them).\n"
    )
    assert all(f"[id={one}]" in sandbox.run("plan", "-v").out for one in others)
    sandbox.declare(item("embed"))
    sandbox.apply()
    sandbox.run("destroy", "--auto-approve")
    assert sandbox.sim.world.endpoints == before
    assert {one.body for one in sandbox.sent("delete")}
    assert not any(other.encode() in one.body for one in sandbox.sent() for other in others)


def test_a_renamed_endpoint_is_forgotten_not_deleted(sandbox: Sandbox) -> None:
    """A recorded ID that bears another name now is no longer ours to delete."""
    made(sandbox, "chat", "embed")
    sandbox.sim.world.console_update(sandbox.id("chat"), name="somebody-elses")
    sandbox.declare(item("embed"))
    assert sandbox.plan().actions == {"chat": "forget"}
    sandbox.apply()
    assert set(sandbox.live()) == {"somebody-elses", "embed"}
    assert set(sandbox.inventory) == {"embed"}
