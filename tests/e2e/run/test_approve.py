"""`reconciler approve` for the waiting plan of a controller, on another machine and in another folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.controller.approval import APPROVAL, find_approval, sealed
from reconciler.controller.state import SYNC_STATE, SyncState, WaitingPlan
from reconciler.model.settings import Environment
from reconciler.workflow.runtime.context import Context
from tests.e2e.sandbox import Sandbox, item
from tests.stores.engines import holder
from tests.terminal import on_terminal

ROOT = Path(__file__).resolve().parents[3]
DIGEST = "ab" * 32
PLAN = WaitingPlan(
    digest=DIGEST,
    since=datetime.now(UTC) - timedelta(minutes=2),
    revision="0c1d2e3f4a5b6c7d",
    summary="1 to add",
    text="  # novita_endpoint.chat will be created\n\nPlan: 1 to add, 0 to change, 0 to destroy.\n",
)


class Place:
    """The inventory of a controller, and the folder of a person who has no files of it."""

    def __init__(self, folder: Path) -> None:
        self.environ = {"NOVITA_API_KEY": "sk_one"}
        self.daemon = Context(
            root=folder / "daemon", environ=self.environ, state=folder / "shared/novita.json"
        )
        self.laptop = folder / "laptop"
        for path in (self.daemon.root, self.laptop):
            path.mkdir()

    def wait_with(self, waiting: WaitingPlan | None, environment: str = "") -> None:
        """Write the state as the leader does."""
        state = SyncState(environment=environment, leader="deploy@host-1 (pid 7)", waiting=waiting)
        with self.daemon.store.sibling.hold(holder("deploy")) as hold:
            hold.write_document(SYNC_STATE, json.dumps(state.to_json()).encode())

    def approve(
        self, digest: str = DIGEST, answer: str = "", environ: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        command = [sys.executable, "-m", "reconciler", "--state", str(self.daemon.state), "approve", digest]
        names = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        return on_terminal(command, {**names, **(environ or self.environ)}, cwd=self.laptop, answer=answer)

    @property
    def has_approval(self) -> bool:
        return self.daemon.store.read_document(APPROVAL) is not None


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_person_sees_the_waiting_plan_and_approves_it(place: Place) -> None:
    waiting = sealed(place.daemon, PLAN)
    place.wait_with(waiting)
    code, screen = place.approve(answer="yes")
    assert code == 0, screen
    assert screen.index("Plan: 1 to add") < screen.index("Do you approve this plan?")
    assert "`reconciler run` waits with this plan since 20" in screen
    assert "no `reconciler run` leads the inventory now" in screen
    found = find_approval(place.daemon, waiting)
    assert found
    assert "@" in found.who
    code, screen = place.approve()
    assert (code, "It is approved already" in screen) == (0, True)


def test_it_says_when_the_leader_acts(place: Place) -> None:
    place.wait_with(sealed(place.daemon, PLAN))
    with place.daemon.store.sibling.hold(holder("deploy")):
        code, screen = place.approve(answer="yes")
    assert code == 0
    assert "deploy@" in screen
    assert "applies it within 5 s" in screen


@pytest.mark.parametrize("answer", ["no", "YES", " "])
def test_anything_but_yes_approves_nothing(place: Place, answer: str) -> None:
    place.wait_with(sealed(place.daemon, PLAN))
    code, screen = place.approve(answer=answer)
    assert (code, place.has_approval) == (1, False)
    assert "Nothing was approved." in screen


def test_an_environment_is_typed_by_its_name_where_no_file_tells_more(place: Place) -> None:
    prod = Environment(name="prod", state=place.daemon.state)
    (place.daemon.root / "config.yaml").write_text('{"environments": {"prod": {"state": "x.json"}}}')
    waiting = sealed(replace(place.daemon, environment=prod), PLAN)
    place.wait_with(waiting, "prod")
    code, screen = place.approve(answer="yes")
    assert (code, place.has_approval) == (1, False)
    assert "Only the name of the environment, 'prod', will be accepted" in screen
    code, screen = place.approve(answer="prod")
    assert code == 0, screen
    assert find_approval(place.daemon, waiting)


def test_a_plan_that_was_altered_in_the_store_is_not_shown(place: Place) -> None:
    place.wait_with(replace(sealed(place.daemon, PLAN), text="Plan: nothing.\x1b[2J"))
    code, screen = place.approve(answer="yes")
    assert (code, place.has_approval) == (1, False)
    assert "was not written with the key of this run" in screen
    assert "Plan: nothing" not in screen


def test_another_key_cannot_approve(place: Place) -> None:
    place.wait_with(sealed(place.daemon, PLAN))
    code, screen = place.approve(answer="yes", environ={"NOVITA_API_KEY": "sk_two"})
    assert (code, place.has_approval) == (1, False)
    assert "NOVITA_API_KEY or RECONCILER_STATE_KEY is that of the controller" in screen


def test_text_of_the_plan_cannot_move_the_cursor(place: Place) -> None:
    place.wait_with(sealed(place.daemon, replace(PLAN, text="  + \x1b[2Jevil\u202e\n", revision="\x1b[2J")))
    code, screen = place.approve(answer="yes")
    assert code == 0
    assert "\x1b" not in screen
    assert "\u202e" not in screen
    assert "\\x1b[2Jevil\\u202e" in screen


def test_another_plan_that_waits_is_named(place: Place) -> None:
    place.wait_with(sealed(place.daemon, PLAN))
    code, screen = place.approve("cd" * 32)
    assert code != 0
    assert f"Another plan waits in `reconciler run` now: {DIGEST}" in screen
    assert not place.has_approval


def test_the_leader_writes_a_waiting_plan_again_that_was_altered_or_has_another_key(sandbox: Sandbox) -> None:
    """Otherwise nobody could approve it any more."""
    sandbox.declare(item("chat"))
    assert sandbox.run("run", "--once").code == 0
    file = sandbox.root / "state/novita.json.run.sync.json"
    good = json.loads(file.read_text())
    file.write_text(json.dumps({**good, "waiting": {**good["waiting"], "text": "harmless"}}))
    assert sandbox.run("run", "--once").code == 0
    again = json.loads(file.read_text())["waiting"]
    assert (again["digest"], again["text"]) == (good["waiting"]["digest"], good["waiting"]["text"])
    assert sandbox.run("run", "--once").code == 0
    assert json.loads(file.read_text())["waiting"] == again, "the same plan goes on waiting"
