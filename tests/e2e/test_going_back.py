"""The versions that were applied, and the way back to one of them."""

import pytest

from .desk import Desk, item

TOKEN = "hf-the-secret-itself"


@pytest.fixture
def applied(desk: Desk) -> Desk:
    """Three versions of one endpoint, with a secret."""
    desk.monkeypatch.setenv("TOKEN", TOKEN)
    for port in (8001, 8002, 8003):
        desk.declare(item("chat", port=port, env={"TOKEN": "${env:TOKEN}"}))
        desk.apply()
    return desk


def test_every_applied_version_is_told(applied: Desk) -> None:
    """Newest first, numbered from one; as a document as well, and without the secret."""
    shown = applied.run("history").out
    assert [line.split()[0] for line in shown.splitlines()] == ["chat", "3", "2", "1"]
    found = applied.run("history", "chat", "--json").document
    assert [(one["version"], one["action"], one["fields"]["ports"][0]["port"]) for one in found] == [
        (1, "create", 8001),
        (2, "update", 8002),
        (3, "update", 8003),
    ]
    assert found[0]["fields"]["envs"] == {"TOKEN": {"reference": "${env:TOKEN}"}}
    assert all(TOKEN not in path.read_text() for path in applied.root.rglob("*") if path.is_file())


def test_nothing_applied_is_no_history(desk: Desk) -> None:
    """And an unknown name is told as such."""
    assert "Nothing has been applied" in desk.run("history").err
    assert desk.run("history", "nobody").code == 1
    assert desk.run("rollback", "nobody").code == 1


def test_the_way_back_is_a_plan(applied: Desk) -> None:
    """By default to the version before the last; shown, asked for, performed, with the secret of today."""
    declined = applied.run("rollback", "chat", typed="no\n")
    assert declined.code == 1
    assert 'ports = [{"port": 8003}] -> [{"port": 8002}]' in declined.out
    ran = applied.run("rollback", "chat", "--auto-approve")
    assert ran.code == 0, ran.err
    assert "the next apply undoes it" in ran.err
    assert applied.live()["chat"]["ports"] == [{"port": 8002}]
    assert applied.live()["chat"]["envs"] == [{"key": "TOKEN", "value": TOKEN}]
    assert applied.plan().actions == {"chat": "update"}


def test_any_kept_version_can_be_had(applied: Desk) -> None:
    """By its number; others are told with those that are known."""
    assert applied.run("rollback", "chat", "1", "--auto-approve").code == 0
    assert applied.live()["chat"]["ports"] == [{"port": 8001}]
    ran = applied.run("rollback", "chat", "9")
    assert ran.code == 1
    assert "no version 9; known: 1, 2, 3, 4" in ran.err


def test_one_version_has_none_before_it(desk: Desk) -> None:
    """There is nothing to go back to."""
    desk.declare(item("chat"))
    desk.apply()
    assert "no version before the last" in desk.run("rollback", "chat").err


def test_others_are_left_alone(applied: Desk) -> None:
    """What else has changed in the files waits for an apply."""
    applied.declare(item("other"), item("chat", port=8003, env={"TOKEN": "${env:TOKEN}"}))
    assert applied.run("rollback", "chat", "--auto-approve").code == 0
    assert set(applied.live()) == {"chat"}


def test_what_is_no_longer_declared_can_come_back(applied: Desk) -> None:
    """The history knows it still."""
    applied.declare(item("other"))
    applied.apply()
    assert "chat" not in applied.live()
    assert applied.run("rollback", "chat", "3", "--auto-approve").code == 0
    assert applied.live()["chat"]["ports"] == [{"port": 8003}]


def test_a_reference_that_leads_nowhere_stops_it(applied: Desk) -> None:
    """The value was never kept, so it must be there today."""
    applied.declare(item("chat", port=8003))
    applied.monkeypatch.delenv("TOKEN")
    ran = applied.run("rollback", "chat", "1")
    assert ran.code == 1
    assert "TOKEN is not set" in ran.err


def test_the_guards_hold(desk: Desk) -> None:
    """A protected endpoint is not replaced on the way back either."""
    desk.declare(item("chat", specName="large"))
    desk.apply()
    desk.declare(item("chat"))
    desk.apply()
    desk.declare(item("chat", lifecycle={"preventDestroy": True}))
    assert desk.run("rollback", "chat", "1", "--auto-approve").code == 3


def test_a_history_that_cannot_be_written_is_a_warning(desk: Desk) -> None:
    """The apply was done, and that is what counts."""
    (desk.root / "state" / "novita.json.history.jsonl").mkdir(parents=True)
    desk.declare(item("chat"))
    ran = desk.run("apply", "--auto-approve")
    assert ran.code == 0
    assert "Warning:" in ran.err
    assert "Apply complete! Resources: 1 added" in ran.out
