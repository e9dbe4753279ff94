"""The report files of a run are written whatever its end is."""

import json
import os
import signal
import subprocess
import sys
import threading
from xml.etree import ElementTree as ET

import pytest

from reconciler.simulator import Fault, Request
from tests.e2e.sandbox import Sandbox, item

INTO = [word for kind in ("markdown", "html", "junit", "json") for word in (f"--{kind}-into", f"r/{kind}")]


def reports(sandbox: Sandbox) -> dict[str, str]:
    """Kind -> the report that was written."""
    return {path.name: path.read_text() for path in (sandbox.root / "r").iterdir()}


def told_in_each(sandbox: Sandbox, *words: str) -> None:
    """That every report says so; there may be marks between the words of a page."""
    found = reports(sandbox)
    assert set(found) == {"markdown", "html", "junit", "json"}
    for kind, report in found.items():
        for word in words:
            assert word in report, (kind, report)


def test_the_document_goes_into_a_file_beside_the_text(sandbox: Sandbox) -> None:
    """The same one as with --json, in a folder that is made for it."""
    sandbox.declare(item("chat"))
    ran = sandbox.run("plan", "--json-into", "reports/plan.json")
    assert (ran.code, "\nPlan: 1 to add, 0 to change, 0 to destroy.\n" in ran.out) == (0, True)
    written = json.loads((sandbox.root / "reports/plan.json").read_text())
    shown = sandbox.run("plan", "--json").document
    assert {**written, "timestamp": ""} == {**shown, "timestamp": ""}


def test_a_report_of_an_apply_tells_its_results(sandbox: Sandbox) -> None:
    """With what was done, and the exit code."""
    sandbox.declare(item("chat"))
    sandbox.apply("--json-into", "apply.json")
    document = json.loads((sandbox.root / "apply.json").read_text())
    assert [(one["action"], one["outcome"]) for one in document["results"]] == [("create", "done")]
    assert document["exit_code"] == 0


def test_a_report_is_written_after_a_failure(sandbox: Sandbox) -> None:
    """A pipeline that publishes the report must never publish yesterday's."""
    sandbox.declare({"endpoint": "chat"})
    ran = sandbox.run("plan", "--json-into", "plan.json")
    document = json.loads((sandbox.root / "plan.json").read_text())
    assert (ran.code, document["exit_code"], document["errored"]) == (1, 1, True)
    assert {problem["code"] for problem in document["problems"]} == {"missing-key"}


def test_a_report_that_cannot_be_written_is_an_error(sandbox: Sandbox) -> None:
    """Who asked for a file and got none must not read a zero."""
    sandbox.declare(item("chat"))
    sandbox.write("taken", "")
    ran = sandbox.run("plan", "--json-into", "taken/plan.json")
    assert ran.code == 1
    assert "cannot write taken/plan.json: File exists" in ran.err


def test_a_pipe_is_written_to_and_stays_a_pipe(sandbox: Sandbox) -> None:
    """Replacing /dev/stderr by a file would break every other program of the machine."""
    sandbox.declare(item("chat"))
    pipe = sandbox.root / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reading = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reading.start()
    assert sandbox.run("plan", "--json-into", "pipe").code == 0
    reading.join(timeout=10)
    assert json.loads(read[0])["summary"]["create"] == 1
    assert pipe.is_fifo()


def test_every_report_tells_of_a_plan(sandbox: Sandbox) -> None:
    """The line that tools know in Markdown, page and XML; the same run in all of them."""
    sandbox.declare(item("chat"))
    sandbox.run("plan", *INTO)
    told_in_each(sandbox, "chat")
    found = reports(sandbox)
    assert "**Plan: 1 to add, 0 to change, 0 to destroy.**" in found["markdown"]
    assert "<h1>Plan: 1 to add, 0 to change, 0 to destroy.</h1>" in found["html"]
    assert ET.fromstring(found["junit"]).get("tests") == "2"


def test_every_report_tells_what_an_apply_ran_into(sandbox: Sandbox) -> None:
    """What failed with its reason, and what was done beside it."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.sim.faults.add(Fault(operation="create", status=400, reason="NO_STOCK", message="no stock today"))
    assert sandbox.run("apply", "--auto-approve", "--parallelism", "1", *INTO).code == 4
    told_in_each(sandbox, "no stock today", "embed")
    found = reports(sandbox)
    for kind in ("markdown", "html"):
        assert "Apply incomplete: 1 done, 1 failed." in found[kind]
    suite = ET.fromstring(found["junit"])
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")


def test_every_report_tells_of_a_guard(sandbox: Sandbox) -> None:
    """The plan is there, and why it was not performed."""
    sandbox.declare(item("chat", lifecycle={"preventDestroy": True}))
    sandbox.apply()
    sandbox.declare(item("other"))
    assert sandbox.run("apply", "--auto-approve", *INTO).code == 3
    told_in_each(sandbox, "preventDestroy", "chat")
    assert "exit code 3: refused by a guard" in reports(sandbox)["markdown"]


def test_every_report_tells_of_an_account_that_cannot_be_read(sandbox: Sandbox) -> None:
    """There is no plan, and each says why."""
    sandbox.declare(item("chat"))
    sandbox.sim.faults.add(Fault(operation="list", status=401, message="who are you", times=None))
    assert sandbox.run("plan", *INTO).code == 8
    told_in_each(sandbox, "who are you")
    assert "<h1>Failed: 1 error.</h1>" in reports(sandbox)["html"]


def test_every_report_tells_of_an_interrupt(sandbox: Sandbox) -> None:
    """What was done until then, and what was not attempted."""
    sandbox.declare(*(item(f"e{number}") for number in range(3)))

    noticed = threading.Event()

    def interrupt(_request: Request) -> None:
        os.kill(sandbox.started[-1].pid, signal.SIGINT)
        assert noticed.wait(60)

    sandbox.sim.faults.before("create", interrupt, nth=2)
    process = sandbox.start("apply", "--auto-approve", "--parallelism", "1", *INTO)
    assert process.stderr is not None
    assert any("Interrupted. Waiting" in line for line in process.stderr)
    noticed.set()
    process.communicate(timeout=60)
    assert process.returncode == 130
    found = reports(sandbox)
    assert "**Apply interrupted: 2 done, 1 not attempted.**" in found["markdown"]
    assert "exit code 130: interrupted" in found["html"]
    assert ET.fromstring(found["junit"]).get("skipped") == "1"
    assert json.loads(found["json"])["exit_code"] == 130


def test_every_report_tells_of_drift(sandbox: Sandbox) -> None:
    """With its alarm."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id("chat"), healthy={"path": "/other"})
    sandbox.sim.world.console_delete(sandbox.id("embed"))
    assert sandbox.run("drift", *INTO).code == 2
    told_in_each(sandbox, "health", "/other", "embed")
    assert "**Drift: 1 changed, 1 deleted.**" in reports(sandbox)["markdown"]
    assert ET.fromstring(reports(sandbox)["junit"]).get("failures") == "2"


def test_options_of_reports_stand_after_the_last_word(sandbox: Sandbox) -> None:
    """Or else a group would swallow them."""
    for option in (["--explain"], ["--html-into", "x"]):
        ran = sandbox.run("drift", *option, "revert")
        assert (ran.code, "after the subcommand" in ran.err) == (64, True)


def explained(sandbox: Sandbox, *args: str) -> list[str]:
    """The calls of an explanation as method and last part of the path."""
    document = sandbox.run("plan", "--explain", "--json", *args).document
    return [
        f"{call['method']} {call['path'].partition('?')[0].rpartition('/')[2]}"
        for change in document["resource_changes"]
        for call in change.get("explanation", {"calls": []})["calls"]
    ]


@pytest.mark.parametrize(
    ("before", "after", "options"),
    [
        ([], [item("chat")], []),
        ([item("chat")], [item("chat", replicas=3)], []),
        ([item("chat")], [item("chat", port=9000)], []),
        ([item("chat")], [item("chat", specName="large")], []),
        ([item("chat")], [item("chat", specName="large", appName="other")], ["--create-first"]),
        ([item("chat")], [], ["--allow-delete", "1"]),
    ],
    ids=["create", "scale", "update", "replace", "create-first", "delete"],
)
def test_the_explained_calls_are_those_that_are_sent(
    sandbox: Sandbox, before: list[dict[str, str]], after: list[dict[str, str]], options: list[str]
) -> None:
    """Each of them, in that order, and no other."""
    if before:
        sandbox.declare(*before)
        sandbox.apply()
    sandbox.declare(*after)
    calls = explained(sandbox, *options)
    since = len(sandbox.sim.requests)
    sandbox.apply(*options)
    methods = {
        "get": "GET endpoint",
        "create": "POST create",
        "update": "POST update",
        "delete": "POST delete",
    }
    sent = [methods[one.operation] for one in sandbox.sim.requests[since:] if one.operation in methods]
    assert sent == calls


def test_an_explanation_stands_below_its_change(sandbox: Sandbox) -> None:
    """Why, which rule, which calls; in the reports as well, and only when asked for."""
    sandbox.declare(item("chat", replicas=1))
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id("chat"), workerConfig={"minNum": 1, "maxNum": 4})
    sandbox.declare(item("chat", replicas=1), item("other", appName="other"))
    ran = sandbox.run("plan", "--explain", *INTO)
    assert "      why    only the worker counts differ\n" in ran.out
    assert (
        "             maxReplicas (workerConfig.maxNum): changed in the account since the last apply\n"
        in ran.out
    )
    rule = "declared, recorded, live by its ID; only worker counts differ -> scale"
    assert f"      rule   {rule}\n" in ran.out
    assert "      calls  GET  /gpu-instance/openapi/v1/endpoint?id=" in ran.out
    found = reports(sandbox)
    assert rule in found["json"]
    assert rule.replace(">", "&gt;") in found["html"]
    assert rule.replace(">", "&#62;") in found["markdown"]
    drift = sandbox.run("drift", "--explain")
    assert f"      rule   {rule}\n" in drift.out
    plain = sandbox.run("plan", *INTO)
    assert rule not in plain.out
    assert not [kind for kind, report in reports(sandbox).items() if "only worker counts differ" in report]


def test_a_destroy_is_explained_too(sandbox: Sandbox) -> None:
    """Before it asks."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    ran = sandbox.run("destroy", "--explain", "--auto-approve", *INTO)
    assert "not wanted, recorded, live by its ID under that name -> delete" in ran.out
    assert "<h1>Destroy complete! Resources: 1 destroyed.</h1>" in reports(sandbox)["html"]


@pytest.fixture
def action(sandbox: Sandbox) -> Sandbox:
    """A job of GitHub Actions whose repository has the sandbox's folder in it."""
    sandbox.monkeypatch.setenv("GITHUB_ACTIONS", "true")
    sandbox.monkeypatch.setenv("GITHUB_WORKSPACE", str(sandbox.root.parent))
    sandbox.monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(sandbox.root / "summary.md"))
    sandbox.write("summary.md", "before\n")
    return sandbox


def test_github_is_told_of_problems_where_they_are(action: Sandbox) -> None:
    """Relative to the repository, on stderr; stdout stays the document; the summary grows."""
    action.declare({"endpoint": "chat"})
    ran = action.run("plan", "--json")
    first, second = [line for line in ran.err.splitlines() if line.startswith("::")]
    where = "::error file=infra/endpoints.yaml,line=4,col=19,title=novita_endpoint.chat::"
    assert first.startswith(f"{where}this endpoint has no `specName`%0A")
    assert second.startswith(f"{where}this endpoint has no `image`%0A")
    assert ran.document["exit_code"] == 1
    summary = (action.root / "summary.md").read_text()
    assert summary.startswith("before\n## reconciler plan\n")
    assert "**Failed: " in summary


def test_github_is_told_by_validate(action: Sandbox) -> None:
    """Beside the lines, and without a summary of a run that has nothing to sum up."""
    action.declare({"endpoint": "chat"})
    ran = action.run("validate")
    assert "::error file=infra/endpoints.yaml,line=4,col=19," in ran.err
    assert (action.root / "summary.md").read_text() == "before\n"


def test_github_is_told_of_drift_that_rings(action: Sandbox) -> None:
    """At the line that declares it; a plan that tells of the same is no error."""
    action.declare(item("chat"))
    action.apply()
    action.sim.world.console_update(action.id("chat"), healthy={"path": "/other"})
    assert "::error" not in action.run("plan").err
    assert "::error file=infra/endpoints.yaml,line=4,col=19,title=reconciler%3A drift::chat was changed" in (
        action.run("drift").err
    )


def test_a_summary_that_cannot_be_written_is_a_warning(action: Sandbox) -> None:
    """No plan fails for it."""
    action.monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(action.root))
    action.declare(item("chat"))
    ran = action.run("plan")
    assert (ran.code, "Warning: cannot write the job summary: Is a directory" in ran.err) == (0, True)


def test_elsewhere_nobody_is_told(sandbox: Sandbox) -> None:
    """Other systems show workflow commands as noise."""
    sandbox.monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(sandbox.root / "summary.md"))
    sandbox.declare({"endpoint": "chat"})
    assert "::error" not in sandbox.run("plan").err
    assert not (sandbox.root / "summary.md").exists()


def test_a_file_outside_of_the_repository_is_named_as_it_was(action: Sandbox) -> None:
    """GitHub shows such an annotation without a line."""
    action.monkeypatch.setenv("GITHUB_WORKSPACE", str(action.root / "elsewhere"))
    action.declare({"endpoint": "chat"})
    assert "::error file=endpoints.yaml," in action.run("validate").err


def test_a_plan_pays_for_no_report_that_it_does_not_write(sandbox: Sandbox) -> None:
    """Start-up is what most runs consist of."""
    sandbox.declare(item("chat"))
    script = (
        "import sys\n"
        "from reconciler.cli.main import run\n"
        "assert run(['plan']) == 0\n"
        "late = {'markdown', 'page', 'junit', 'github', 'apply_stream', 'summary', 'chart'}\n"
        "loaded = {name.rpartition('.')[2] for name in sys.modules if '.reports.' in name}\n"
        "assert 'text' in loaded\n"
        "print(*sorted(late & loaded), 'xml.etree' in sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == "False\n"
