"""Plans on disk: a promise without secrets, kept exactly or refused."""

import json

from .desk import KEY, Desk, item


def saved(desk: Desk, *args: str) -> None:
    ran = desk.run("plan", "--out", "the.plan", *args)
    assert ran.code == 0, ran.err
    assert "reconciler apply the.plan" in ran.err


def test_a_saved_plan_is_performed_unasked(desk: Desk) -> None:
    """Handing it over is the approval; applied a second time it has nothing left to do and says so."""
    desk.declare(item("chat"))
    saved(desk)
    ran = desk.run("apply", "the.plan")
    assert ran.code == 0
    assert "Apply complete! Resources: 1 added" in ran.out
    writes = len(desk.sent())
    again = desk.run("apply", "the.plan")
    assert len(desk.sent()) == writes
    assert again.code == 6, "what it promised is no longer what would happen"
    assert "chat: create then, no change now" in again.err


def test_an_empty_plan_stays_good(desk: Desk) -> None:
    """A plan of nothing is done as often as one likes."""
    desk.declare(item("chat"))
    desk.apply()
    saved(desk)
    for _ in range(2):
        ran = desk.run("apply", "the.plan")
        assert ran.code == 0
        assert "No changes." in ran.out


def test_a_moved_world_is_told(desk: Desk) -> None:
    """Exit 6 with each endpoint that moved and how, and nothing is written; in JSON as well."""
    desk.declare(item("a"), item("b"), item("c"), item("d"))
    desk.apply()
    desk.declare(item("a", replicas=2), item("b", replicas=2), item("c"), item("e"))
    saved(desk)
    desk.sim.world.console_update(desk.id("a"), ports=[{"port": 9000}])
    desk.sim.world.console_delete(desk.id("c"))
    desk.sim.world.console_delete(desk.id("d"))
    before, writes = desk.files(), len(desk.sent())
    ran = desk.run("apply", "the.plan")
    assert ran.code == 6
    assert "a: scale then, update now" in ran.err
    assert "d: delete then, forget now" in ran.err
    assert "  b: " not in ran.err
    assert "  c: " not in ran.err
    document = desk.run("apply", "the.plan", "--json")
    assert document.code == 6
    assert document.document["exit_code"] == 6
    assert "stale-plan" in document.codes
    assert desk.files() == before
    assert len(desk.sent()) == writes


def test_an_edited_file_is_a_moved_world(desk: Desk) -> None:
    """What is written is what was saved, so an edit since then is refused, and an env value counts."""
    desk.declare(item("chat", env={"A": "1"}))
    saved(desk)
    desk.declare(item("chat", env={"A": "2"}))
    ran = desk.run("apply", "the.plan")
    assert ran.code == 6
    assert "chat: create then and now, but not the same" in ran.err
    assert 'envs.A: null -> "1" then, null -> "2" now' in ran.err
    assert desk.sent() == []


def test_another_secret_is_a_moved_world(desk: Desk) -> None:
    """A secret that changed since then is noticed by its fingerprint, without being told."""
    desk.monkeypatch.setenv("TOKEN", "first-secret")
    desk.declare(item("chat", env={"TOKEN": "${env:TOKEN}"}))
    saved(desk)
    desk.monkeypatch.setenv("TOKEN", "second-secret")
    ran = desk.run("apply", "the.plan")
    assert ran.code == 6
    assert "envs.TOKEN: another secret" in ran.err
    assert "first-secret" not in ran.err
    assert "second-secret" not in ran.err


def test_another_key_is_told_as_such(desk: Desk) -> None:
    """Under another key nothing can be compared, and the message says that instead of naming everything."""
    desk.declare(item("chat"))
    saved(desk)
    desk.monkeypatch.setenv("NOVITA_API_KEY", "sk_another")
    ran = desk.run("apply", "the.plan")
    assert ran.code == 6
    assert "another API key" in ran.err
    assert desk.sent() == []


def test_options_travel_with_the_plan(desk: Desk) -> None:
    """--target, --exclude and --allow-delete are part of what was saved, and cannot be said again."""
    names = [f"e{number}" for number in range(10)]
    desk.declare(*(item(name) for name in names))
    desk.apply()
    desk.declare(*(item(name) for name in names[:4]), item("new"))
    saved(desk, "--exclude", "e9", "--allow-delete", "5")
    refused = desk.run("apply", "the.plan", "--target", "e5")
    assert refused.code == 64
    assert desk.run("apply", "the.plan").code == 0
    assert set(desk.live()) == {*names[:4], "e9", "new"}


def test_a_saved_destroy(desk: Desk) -> None:
    """`plan --destroy --out` saves a destruction, and apply performs it."""
    desk.declare(item("chat"))
    desk.apply()
    saved(desk, "--destroy")
    ran = desk.run("apply", "the.plan")
    assert ran.code == 0
    assert "Destroy complete! Resources: 1 destroyed." in ran.out
    assert desk.live() == {}


def test_a_blocked_plan_is_saved_and_stays_blocked(desk: Desk) -> None:
    """A guard is not passed by way of a file."""
    desk.declare(item("chat"))
    desk.apply()
    desk.declare()
    ran = desk.run("plan", "--out", "the.plan")
    assert ran.code == 3
    assert "To perform" not in ran.err
    assert desk.run("apply", "the.plan").code == 3
    assert set(desk.live()) == {"chat"}


def test_no_plan_file(desk: Desk) -> None:
    """A file that is missing, no plan, or of a newer version is told as such."""
    desk.declare(item("chat"))
    for content, words in (
        (None, "cannot read"),
        ("{}", "is no plan"),
        ("\0", "is no plan"),
        ('{"saved_plan": {"format": 1}}', "is no plan"),
    ):
        if content is not None:
            desk.write("the.plan", content)
        ran = desk.run("apply", "the.plan")
        assert ran.code == 1
        assert words in ran.err
    (desk.root / "the.plan").unlink()
    saved(desk)
    document = json.loads((desk.root / "the.plan").read_text())
    document["saved_plan"]["format"] = 99
    desk.write("the.plan", document)
    assert "newer reconciler" in desk.run("apply", "the.plan").err
    assert desk.sent() == []


def test_a_saved_plan_is_a_plan_document(desk: Desk) -> None:
    """What --out writes is what --json prints, and the promise beside it; the key is not in it."""
    desk.declare(item("chat"))
    saved(desk)
    document = json.loads((desk.root / "the.plan").read_text())
    printed = desk.run("plan", "--json").document
    promise = document.pop("saved_plan")
    assert promise["changes"].keys() == {"chat"}
    for one in (document, printed):
        del one["timestamp"]
    assert document == printed
    assert KEY not in (desk.root / "the.plan").read_text()


def test_what_is_not_in_the_plan_does_not_block_it(desk: Desk) -> None:
    """Another endpoint that drifts, is declared or comes and goes is left to another plan."""
    desk.declare(item("a"), item("b"))
    desk.apply()
    desk.declare(item("a", replicas=2), item("b"))
    saved(desk)
    desk.sim.world.console_update(desk.id("b"), ports=[{"port": 9000}])
    desk.sim.world.console_create(name="stranger", appName="stranger")
    desk.declare(item("a", replicas=2), item("b"), item("c"))
    ran = desk.run("apply", "the.plan")
    assert ran.code == 0, ran.err
    assert [one.operation for one in desk.sent()[-1:]] == ["update"]
    assert desk.live()["b"]["ports"] == [{"port": 9000}]
    assert "c" not in desk.live()


def test_a_live_value_that_moved_is_told_field_by_field(desk: Desk) -> None:
    """What was reviewed was a difference, and the difference is another one now."""
    desk.declare(item("a"))
    desk.apply()
    desk.declare(item("a", port=9000))
    saved(desk)
    desk.sim.world.console_update(desk.id("a"), ports=[{"port": 7000}])
    ran = desk.run("apply", "the.plan")
    assert ran.code == 6
    assert (
        'ports: [{"port": 8000}] -> [{"port": 9000}] then, [{"port": 7000}] -> [{"port": 9000}] now'
        in ran.err
    )
    desk.sim.world.console_update(desk.id("a"), ports=[{"port": 8000}], image={"authId": "someones"})
    ran = desk.run("apply", "the.plan")
    assert ran.code == 6
    assert "the object or what is carried along with the change" in ran.err


def test_another_account_is_a_moved_world(desk: Desk) -> None:
    """The same files against another address are another promise."""
    desk.declare(item("a"))
    saved(desk)
    desk.monkeypatch.setenv("NOVITA_BASE_URL", desk.sim.url.replace("127.0.0.1", "localhost"))
    ran = desk.run("apply", "the.plan")
    assert ran.code == 6
    assert "account: it was made for" in ran.err


def test_a_state_key_alone_binds_a_plan(desk: Desk) -> None:
    """Where several keys share an inventory, another API key is no other account."""
    desk.monkeypatch.setenv("RECONCILER_STATE_KEY", "shared")
    desk.declare(item("a"))
    saved(desk)
    desk.monkeypatch.setenv("NOVITA_API_KEY", "sk_another")
    assert desk.run("apply", "the.plan").code == 0
