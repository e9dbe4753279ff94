"""`reconciler approve` asks a person on a terminal."""

from __future__ import annotations

import getpass
import json
import socket
from pathlib import Path

import pytest

from reconciler.cli.main import run

from .conftest import SECRET, Folder


def approvals(folder: Folder) -> list[Path]:
    return list((folder.path / ".reconciler" / "approvals").glob("*"))


def test_a_person_sees_the_plan_and_approves_it(folder: Folder) -> None:
    digest = folder.assistant.digest()
    code, screen = folder.type("approve", digest, answer="yes")
    assert code == 0, screen
    assert "Plan: 2 to add, 0 to change, 0 to destroy." in screen
    assert screen.index("Plan: 2 to add") < screen.index("Do you approve this plan?")
    assert "Approved until 20" in screen
    assert SECRET not in screen
    (file,) = approvals(folder)
    assert SECRET not in file.read_text()
    assert json.loads(file.read_text())["who"] == f"{getpass.getuser()}@{socket.gethostname()}"
    assert not folder.assistant.call("apply", digest=digest).is_error
    assert {one["name"] for one in folder.sim.world.endpoints} == {"chat", "embed"}


@pytest.mark.parametrize("answer", ["no", "y", "YES", " "])
def test_anything_but_yes_approves_nothing(folder: Folder, answer: str) -> None:
    code, screen = folder.type("approve", folder.assistant.digest(), answer=answer)
    assert (code, approvals(folder)) == (1, [])
    assert "Nothing was approved." in screen


def test_another_plan_is_not_approved(folder: Folder) -> None:
    digest = folder.assistant.digest()
    folder.edit("maxReplicas: 3", "maxReplicas: 30")
    code, screen = folder.type("approve", digest, answer="yes")
    assert (code, approvals(folder)) == (6, [])
    assert "Error: nothing was approved: this is not the plan of the digest" in screen
    assert "Do you approve" not in screen


def test_a_plan_that_a_guard_stops_is_not_approved(applied: Folder) -> None:
    (applied.path / "endpoints.yaml").write_text("endpoints: []\n")
    code, screen = applied.type("approve", applied.assistant.digest(), answer="yes")
    assert (code, approvals(applied)) == (3, [])
    assert "Do you approve" not in screen


def test_no_terminal_no_approval(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither an answer in a pipe nor an option."""
    digest = folder.assistant.digest()
    for words in ((), ("--json",), ("--auto-approve",), ("--yes",)):
        assert run(["-C", str(folder.path), "approve", digest, *words]) == 64
    capsys.readouterr()
    assert run(["-C", str(folder.path), "approve", digest]) == 64
    assert "stdin or stdout is none" in capsys.readouterr().err
    assert approvals(folder) == []


def test_what_is_no_digest_is_refused_on_the_terminal(folder: Folder) -> None:
    code, screen = folder.type("approve", "chat")
    assert code == 64
    assert "`chat` is not the digest of a plan" in screen
