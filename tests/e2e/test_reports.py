"""The report files of a run are written whatever its end is."""

import json
import os
import threading

from tests.e2e.desk import Desk, item


def test_the_document_goes_into_a_file_beside_the_text(desk: Desk) -> None:
    """The same one as with --json, in a folder that is made for it."""
    desk.declare(item("chat"))
    ran = desk.run("plan", "--json-into", "reports/plan.json")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Plan: 1 to add, 0 to change, 0 to destroy.")
    written = json.loads((desk.root / "reports/plan.json").read_text())
    shown = desk.run("plan", "--json").document
    assert {**written, "timestamp": ""} == {**shown, "timestamp": ""}


def test_a_report_of_an_apply_tells_its_results(desk: Desk) -> None:
    """With what was done, and the exit code."""
    desk.declare(item("chat"))
    desk.apply("--json-into", "apply.json")
    document = json.loads((desk.root / "apply.json").read_text())
    assert [(one["action"], one["outcome"]) for one in document["results"]] == [("create", "done")]
    assert document["exit_code"] == 0


def test_a_report_is_written_after_a_failure(desk: Desk) -> None:
    """A pipeline that publishes the report must never publish yesterday's."""
    desk.declare({"endpoint": "chat"})
    ran = desk.run("plan", "--json-into", "plan.json")
    document = json.loads((desk.root / "plan.json").read_text())
    assert (ran.code, document["exit_code"], document["errored"]) == (1, 1, True)
    assert {problem["code"] for problem in document["problems"]} == {"missing-key"}


def test_a_report_that_cannot_be_written_is_an_error(desk: Desk) -> None:
    """Who asked for a file and got none must not read a zero."""
    desk.declare(item("chat"))
    desk.write("taken", "")
    ran = desk.run("plan", "--json-into", "taken/plan.json")
    assert ran.code == 1
    assert "cannot write taken/plan.json: File exists" in ran.err


def test_a_pipe_is_written_to_and_stays_a_pipe(desk: Desk) -> None:
    """Replacing /dev/stderr by a file would break every other program of the machine."""
    desk.declare(item("chat"))
    pipe = desk.root / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reading = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reading.start()
    assert desk.run("plan", "--json-into", "pipe").code == 0
    reading.join(timeout=10)
    assert json.loads(read[0])["summary"]["create"] == 1
    assert pipe.is_fifo()
