"""Annotations, parsed as GitHub's runner does."""

from __future__ import annotations

import re
from dataclasses import replace

from reconciler.model.drift import DriftState
from reconciler.model.plan import Plan
from reconciler.model.problem import Place, Problem, Severity
from reconciler.model.run_report import RunReport
from reconciler.reports.run.github import annotation_lines
from tests.builders import endpoint, live, plan, tracked
from tests.reports import samples

COMMAND = re.compile(r"::(?P<level>\w+) (?P<given>[^:]*)::(?P<data>[^\r\n]*)")


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """Return (level, properties, message), decoded as the runner does."""
    found = COMMAND.fullmatch(line)
    assert found, line
    decoded = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}

    def decode(text: str) -> str:
        return re.sub("%(0D|0A|3A|2C|25)", lambda one: decoded[one[0]], text)

    given = dict(pair.split("=", 1) for pair in found["given"].split(","))
    return found["level"], {name: decode(value) for name, value in given.items()}, decode(found["data"])


def read(found: RunReport) -> list[tuple[str, dict[str, str], str]]:
    return [parsed(line) for line in annotation_lines(found, lambda place: f"infra/{place.file}")]


def test_a_problem_is_shown_at_its_place() -> None:
    """The annotation has file, line, column and hint; errors come first."""
    assert read(samples.refused()) == [
        (
            "error",
            {"file": "infra/endpoints.yaml", "line": "12", "col": "7", "title": "novita_endpoint.old"},
            "`old` has `preventDestroy` and would be deleted\n"
            "Remove `preventDestroy` first, in a commit of its own",
        ),
        ("warning", {"title": "reconciler: limit"}, "the account may hold 20 workers"),
    ]


def test_a_note_is_a_notice() -> None:
    """GitHub's level for a note is notice."""
    note = Problem(code="partial", summary="only a part", severity=Severity.NOTE)
    assert [level for level, _, _ in read(samples.failed(note, code=0))] == ["notice"]


def test_no_text_breaks_out_of_a_command() -> None:
    """This holds for any text in a message or a file name."""
    bad = "100%\r\n::stop-commands::x,y=1:2"
    place = Place(file=bad, line=1, column=2)
    problem = Problem(code="x", summary=bad, detail=bad, address=bad, place=place)
    ((level, given, message),) = read(samples.failed(problem))
    assert (level, given["file"]) == ("error", f"infra/{bad}")
    assert message.splitlines()[0] == "100%"
    lines = list(annotation_lines(samples.failed(problem), lambda place: place.file))
    assert len("\n".join(lines).splitlines()) == 1


def test_new_drift_is_an_error_at_the_declaration() -> None:
    """Known and ignored drift is no error, and neither is drift in a plan."""
    place = Place(file="endpoints.yaml", line=3, column=5)
    desired = replace(endpoint("tuned", image="a:1"), find_place=lambda _path: place)
    made = plan([desired], [tracked("tuned", image="a:1")], [live("tuned", image="b:1")])
    ringing = samples.drifted()
    assert ringing.drift_report
    alarms = tuple(
        replace(alarm, drift=made.drift[0]) if alarm.drift.name == "tuned" else alarm
        for alarm in ringing.drift_report.alarms
    )
    found = replace(ringing, plan=made, drift_report=replace(ringing.drift_report, alarms=alarms))
    gone, changed = read(found)
    assert (gone[0], gone[2]) == ("error", "gone was deleted")
    assert changed[1] | {"title": ""} == {
        "file": "infra/endpoints.yaml",
        "line": "3",
        "col": "5",
        "title": "",
    }
    assert changed[2] == 'tuned was changed outside of reconciler\nimage: "a:1" → "b:1"'
    assert read(samples.drifted(DriftState.KNOWN)) == []
    assert read(samples.findings(samples.every_action())) == []


def test_annotations_beyond_the_limit_are_counted() -> None:
    """There are at most ten per level; the last one counts the others."""
    many = [Problem(code="x", summary=f"problem {number}") for number in range(25)]
    found = read(samples.findings(Plan(changes=()), *many, samples.WARNING))
    assert [level for level, _, _ in found] == ["error"] * 10 + ["warning"]
    assert found[9][2] == "and 16 more: the job summary lists all of them"
    assert len(read(samples.failed(*many[:10]))) == 10
