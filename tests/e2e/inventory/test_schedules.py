"""Schedules on the command line: worker counts that change with the time of day."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox, item

DAY = {"cron": "0 8 * * mon-fri", "min": 2, "max": 8, "tz": "Europe/Berlin"}
NIGHT = {"cron": "0 20 * * *", "min": 0, "max": 2, "tz": "Europe/Berlin"}
NOON, EVENING, MORNING = "2027-01-06T11:00:00", "2027-01-06T20:00:00", "2027-01-07T07:30:00"

SetTime = Callable[[str], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> SetTime:
    """Set the clock of the commands to a time in UTC."""

    def set_time(text: str) -> None:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return datetime.fromisoformat(text).replace(tzinfo=UTC).astimezone(tz)

        monkeypatch.setattr("reconciler.workflow.runtime.context.datetime", Clock)

    return set_time


def counts(sandbox: Sandbox) -> tuple[int, int]:
    worker = sandbox.live()["chat"]["workerConfig"]
    return worker["minNum"], worker["maxNum"]


@pytest.fixture
def scheduled(sandbox: Sandbox, at: SetTime) -> Sandbox:
    """An endpoint with a schedule that was applied at noon."""
    at(NOON)
    sandbox.declare(item("chat", schedule=[DAY, NIGHT]))
    sandbox.apply()
    return sandbox


def causes(sandbox: Sandbox) -> set[str]:
    (change,) = sandbox.plan().document["resource_changes"]
    return {field["cause"] for field in change["fields"]}


def test_each_time_brings_its_counts(scheduled: Sandbox, at: SetTime) -> None:
    assert counts(scheduled) == (2, 8)
    at(EVENING)
    planned = scheduled.run("plan")
    assert "minReplicas = 2 -> 0  # time" in planned.out
    assert "`chat` has 0 to 2 workers by its schedule until 2027-01-07 07:00Z" in planned.err
    assert scheduled.run("drift").code == 0
    scheduled.apply()
    assert counts(scheduled) == (0, 2)
    at(MORNING)
    assert causes(scheduled) == {"time"}
    scheduled.apply()
    assert counts(scheduled) == (2, 8)
    assert scheduled.plan().code == 0


def test_preview_list_explain_and_get_know_it(scheduled: Sandbox, at: SetTime) -> None:
    at(EVENING)
    assert '"minNum": 0' in scheduled.run("preview").out
    assert '"minNum": 0' in scheduled.run("preview", "--create").out
    assert "due by the schedule" in scheduled.run("plan", "--explain").out
    (listed,) = scheduled.run("list", "--json").document
    assert listed["schedule"] == {"min": 0, "max": 2, "until": "2027-01-07T07:00:00Z"}
    assert "until 2027-01-07 07:00Z, 0 to 2 workers" in scheduled.run("get", "chat").out


def test_a_saved_plan_is_stale_when_a_time_has_come(scheduled: Sandbox, at: SetTime) -> None:
    scheduled.declare(item("chat", schedule=[DAY, NIGHT], image="ubuntu:24.04"))
    assert scheduled.plan("--out", "plan.json").code == 2
    at(EVENING)
    ran = scheduled.run("apply", "plan.json")
    assert ran.code == 6
    assert "is stale" in ran.err
    assert "worker counts: due by its schedule, since the plan was made" in ran.err
    assert counts(scheduled) == (2, 8)


def test_a_lease_holds_over_a_time_and_its_end_restores_the_schedule(scheduled: Sandbox, at: SetTime) -> None:
    leased = scheduled.run("scale", "chat", "4", "--for", "12h", "--why", "launch", "--yes")
    assert leased.code == 0
    at(EVENING)
    assert scheduled.plan().code == 0
    assert counts(scheduled) == (4, 4)
    at("2027-01-07T02:00:00")
    assert causes(scheduled) == {"time"}
    scheduled.apply()
    assert counts(scheduled) == (0, 2)
    assert "lease" not in scheduled.inventory["chat"]


def test_a_lease_can_be_ended_at_another_time(scheduled: Sandbox, at: SetTime) -> None:
    assert scheduled.run("scale", "chat", "4", "--for", "12h", "--why", "launch", "--yes").code == 0
    at(EVENING)
    assert scheduled.run("scale", "chat", "--end-lease", "--yes").code == 0
    assert counts(scheduled) == (0, 2)
    at(MORNING)
    assert causes(scheduled) == {"time"}


def test_a_scale_by_hand_says_that_it_will_not_last(scheduled: Sandbox, at: SetTime) -> None:
    ran = scheduled.run("scale", "chat", "5", "--yes")
    assert "`chat` has minReplicas = 2, maxReplicas = 8 by its schedule; the next apply reverts it" in ran.err
    assert "reconciler scale chat --min 5 --max 5 --for 2h --why TEXT" in ran.err
    assert causes(scheduled) == {"config"}
    at(EVENING)
    assert causes(scheduled) == {"config"}


def test_no_command_writes_scheduled_counts_into_the_yaml(scheduled: Sandbox, at: SetTime) -> None:
    """Neither `scale --write`, nor `drift accept`, which accepts the other fields."""
    before = scheduled.files()["endpoints.yaml"]
    ran = scheduled.run("scale", "chat", "5", "--write")
    assert ran.code == 1
    assert "its schedule says the worker counts" in ran.err
    assert scheduled.files()["endpoints.yaml"] == before
    scheduled.sim.world.console_update(scheduled.id("chat"), workerConfig={"maxNum": 9})
    assert scheduled.run("drift").code == 2
    ran = scheduled.run("drift", "accept", "chat")
    assert "reconciler scale chat --min 2 --max 9 --for 2h --why TEXT" in ran.err
    assert scheduled.files()["endpoints.yaml"] == before


def test_a_revert_of_drift_brings_back_the_counts_of_the_time(scheduled: Sandbox, at: SetTime) -> None:
    scheduled.sim.world.console_update(scheduled.id("chat"), workerConfig={"maxNum": 9})
    at(EVENING)
    assert scheduled.run("drift").code == 2
    assert scheduled.run("drift", "revert", "--yes").code == 0
    assert counts(scheduled) == (0, 2)
    assert scheduled.plan().code == 0


def test_a_rename_keeps_the_schedule(scheduled: Sandbox, at: SetTime) -> None:
    at(EVENING)
    renamed = item("talk", schedule=[DAY, NIGHT], renamedFrom="chat", appName="chat")
    scheduled.declare(renamed)
    scheduled.apply()
    worker = scheduled.live()["talk"]["workerConfig"]
    assert (worker["minNum"], worker["maxNum"]) == (0, 2)
    at(MORNING)
    assert causes(scheduled) == {"time"}


def test_a_rollback_leaves_the_counts_to_the_schedule(scheduled: Sandbox, at: SetTime) -> None:
    """A version of the night is no other one at day."""
    scheduled.declare(item("chat", schedule=[DAY, NIGHT], image="ubuntu:24.04"))
    scheduled.apply()
    at(EVENING)
    scheduled.apply()
    ran = scheduled.run("rollback", "chat", "--write", "--yes")
    assert ran.code == 0
    assert (counts(scheduled), scheduled.live()["chat"]["image"]["image"]) == ((0, 2), "ubuntu:22.04")
    assert scheduled.plan().code == 0
    assert "due by its schedule" in scheduled.run("history", "chat").out


def test_a_matrix_and_an_overlay_may_have_one(sandbox: Sandbox, at: SetTime, tmp_path: Path) -> None:
    """A list replaces a list; null removes it."""
    at(NOON)
    shared = item("chat-{region}", schedule=[DAY, NIGHT], matrix={"region": ["us", "eu"]})
    sandbox.declare(shared, item("plain", schedule=[DAY]))
    sandbox.write("prod.yaml", {"endpoints": [{"endpoint": "plain", "schedule": None}]})
    sandbox.run("apply", "-f", "endpoints.yaml", "-f", "prod.yaml", "--yes")
    live = {name: one["workerConfig"]["maxNum"] for name, one in sandbox.live().items()}
    assert live == {"chat-us": 8, "chat-eu": 8, "plain": 1}


def test_environments_differ_in_their_schedules(sandbox: Sandbox, at: SetTime) -> None:
    sandbox.write(
        "config.yaml", {"environments": {"dev": {}, "prod": {"files": ["endpoints.yaml", "prod.yaml"]}}}
    )
    sandbox.declare(item("chat", schedule=[NIGHT]))
    sandbox.write("prod.yaml", {"endpoints": [{"endpoint": "chat", "schedule": [DAY, NIGHT]}]})
    assert "0 8 * * mon-fri Europe/Berlin 2-8" in sandbox.run("env", "diff", "dev", "prod").out
