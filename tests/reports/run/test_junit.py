"""A run as JUnit XML, parsed again."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from reconciler.model.apply_events import Outcome
from reconciler.model.drift import DriftState
from reconciler.model.problem import Problem
from reconciler.model.run_report import RunReport
from reconciler.reports.run.junit import junit_text
from tests.reports import samples


def read(found: RunReport) -> dict[str, ET.Element]:
    """Return the test cases by name, after checking the counts of the report."""
    page = junit_text(found)
    suites = ET.fromstring(page.encode())
    (suite,) = suites
    cases = list(suite)
    for counted in (suites, suite):
        assert int(counted.get("tests", "")) == len(cases)
        for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(counted.get(name, "")) == len(suite.findall(f"testcase/{tag}")), name
        assert float(counted.get("time", "")) == pytest.approx(sum(float(c.get("time", "")) for c in cases))
    assert (suites.tag, suite.tag, {case.tag for case in cases}) == ("testsuites", "testsuite", {"testcase"})
    return {case.get("name", ""): case for case in cases}


def endings(found: RunReport) -> dict[str, str]:
    """Return the results of the test cases by name."""
    tags = ("failure", "error", "skipped")
    return {
        name: next((tag for tag in tags if case.find(tag) is not None), "passed")
        for name, case in read(found).items()
    }


def test_a_plan_has_one_case_per_endpoint() -> None:
    """A planned change passes; a change that a guard blocks fails."""
    found = endings(samples.refused())
    names = {"adopted", "fresh", "gone", "larger", "same", "scaled", "tuned"}
    assert found == {"the run": "passed", "old": "failure", **dict.fromkeys(names, "passed")}
    case = read(samples.refused())["old"]
    failure = case.find("failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == ("prevent-destroy", samples.GUARD.summary)
    assert "endpoints.yaml:12:7" in (failure.text or "")
    assert case.findtext("system-out") == "delete: no longer declared"
    assert case.get("classname") == "reconciler.plan"


def test_an_error_of_the_run_is_an_error_of_its_case() -> None:
    """This also holds without a plan."""
    whole = Problem(code="unreachable", summary="Novita cannot be reached")
    found = endings(samples.failed(whole, samples.GUARD))
    assert found == {"the run": "error", "old": "failure"}


def test_an_endpoint_may_have_the_name_of_the_run() -> None:
    """Its failures are counted as those of the endpoint."""
    problem = Problem(code="x", summary="s", address="novita_endpoint.the run")
    suite = ET.fromstring(junit_text(samples.failed(problem)))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")


def test_an_apply_has_the_result_of_each_change() -> None:
    """Failed and unresolved changes fail, and those that were not attempted are skipped."""
    found = samples.applied(Outcome.DONE, Outcome.FAILED, Outcome.UNRESOLVED, Outcome.NOT_ATTEMPTED)
    ends = endings(found)
    assert [ends[change.name] for change in found.plan.pending] == [  # type: ignore[union-attr]
        "passed",
        "failure",
        "failure",
        *["skipped"] * 4,
    ]
    cases = read(found)
    assert (cases["fresh"].get("time"), cases["same"].get("time")) == ("1.500", "0.000")


@pytest.mark.parametrize(
    ("standing", "end"),
    [(DriftState.NEW, "failure"), (DriftState.KNOWN, "passed"), (DriftState.IGNORED, "skipped")],
)
def test_new_drift_is_a_failure(standing: DriftState, end: str) -> None:
    """Known drift passes with its details, and ignored drift is skipped."""
    found = samples.drifted(standing)
    ends = endings(found)
    assert (ends["tuned"], ends["gone"], ends["scaled"], ends["the run"]) == (end, end, "passed", "passed")
    said = read(found)["tuned"].findtext("system-out") or ""
    assert said.startswith("env.HF_TOKEN: (sensitive value) → (sensitive value) (" + standing.value)


def test_characters_that_xml_forbids_are_replaced() -> None:
    """This holds for control characters and surrogates in any text."""
    bad = "a\x00b\x1b[0m\ufffe\ud800<&>\"']]>"
    problem = Problem(code="x", summary=bad, detail=bad, address=f"novita_endpoint.{bad}")
    cases = read(samples.failed(problem))
    clean = "a\ufffdb\ufffd[0m\ufffd\ufffd<&>\"']]>"
    failure = cases[clean].find("failure")
    assert failure is not None
    assert failure.get("message") == clean


@pytest.mark.parametrize("found", [samples.refused(), samples.applied(Outcome.FAILED), samples.drifted()])
def test_no_secret_is_in_it(found: RunReport) -> None:
    """This holds for declared, applied and live secrets."""
    assert "hf_" not in junit_text(found)
